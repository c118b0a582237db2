"""Notices to deliver."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dashlight.records import Alert, Notice, Transition

MakeNotice = Callable[..., Notice]


def make_notice(number: int = 1, transition: Transition = "firing", key: str = "") -> Notice:
    at = 1_700_000_000.0 + number
    alert = Alert(
        "drift/m/%2Fpredict/feature/age", "drift", "m", "1", "/predict", "age", "feature", "firing", "age moved",
        at, at - 60.0, 90, 0.5,
    )  # fmt: skip
    return Notice(
        id=f"00000000-0000-7000-8000-{number:012}",
        key=key or f"incident/%2Fpredict/{number}",
        transition=transition,
        at=at,
        since_at=at - 60.0,
        endpoint="/predict",
        model="m",
        version="1",
        summary="age moved; with it moved income",
        alerts=(alert,),
        alert_count=2,
    )


@pytest.fixture
def notice() -> MakeNotice:
    """Makes a notice by its number."""
    return make_notice
