"""A notice that nothing led to: for trying a template, and whatever else has to be tried before something happens."""

from __future__ import annotations

from dashlight.records import Alert, Cause, Notice

SAMPLE_ID = "00000000-0000-7000-8000-000000000000"


def sample_notice(at: float) -> Notice:
    """One that says of itself that it is a test, as of the moment *at*."""
    alert = Alert(
        key="test/column",
        source="drift",
        model="test",
        version="",
        endpoint="/test",
        column="test",
        role="feature",
        state="firing",
        summary="this is a test: nothing has moved",
        at=at,
        since_at=at,
        rows=0,
        score=0.0,
        causes=(Cause("a test", 0.0, 0.0),),
        incident="incident/test",
        place=1,
    )
    return Notice(
        id=SAMPLE_ID,
        key="incident/test",
        transition="firing",
        at=at,
        since_at=at,
        endpoint="/test",
        model="test",
        version="",
        summary="this is a test: nothing has moved",
        alerts=(alert,),
        alert_count=1,
    )
