"""What alerts ask, and what comes of it with few rows, many columns, and nothing known of before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dashlight.counting.policy import Policy
from dashlight.judge.alerts import alert_key
from dashlight.records import Alert, AlertSource, Role, Slice
from dashlight.watching.rows import Comparison
from dashlight.watching.slices.questions import find_lost, find_slice, hurting_of
from dashlight.window.columns import Reference
from dashlight.window.parts.sampled_rows import FAILED, FINE, NOT_THERE, REFUSED, SampledRows
from dashlight.window.performance.drawn_rows import DrawnSample
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.steps import finished

AT = 1_790_000_000.0


def an_alert(
    *parts: str, source: AlertSource = "traffic", column: str | None = None, role: Role | None = None
) -> Alert:
    return Alert(
        key=alert_key(source, *parts),
        source=source,
        model="m",
        version="1",
        endpoint="/predict",
        column=column,
        role=role,
        state="firing",
        summary="something rose",
        at=AT + 100,
        since_at=AT,
        rows=1000,
        score=1.0,
    )


FAILURES = an_alert("/predict", "error_rate")


@pytest.mark.parametrize(
    ("alert", "hurting"),
    [
        (FAILURES, "failed"),
        (an_alert("/predict", "error_kind", "http_500"), "failed"),
        (an_alert("/predict", "new_failure"), "failed"),
        (an_alert("/predict", "refusal_kind", "http_422"), "refused"),
        (an_alert("/predict", "new_refusal"), "refused"),
        (an_alert("", "/predict", "failure_rate[http_5*]>5% for 5m", source="threshold"), "failed"),
        (an_alert("", "/predict", "refusal_rate>20%", source="threshold"), "refused"),
        (an_alert("", "/predict", "latency_p99>300ms", source="threshold"), None),
        (an_alert("", "/predict", "missing_rate>5%", "feature", "age", source="threshold", column="age"), None),
        (an_alert("m", "/predict", "feature", "age", source="drift", column="age", role="feature"), "drifted"),
        (an_alert("m", "/predict", "joint", source="drift"), None),
        (an_alert("/predict", "latency"), None),
        (an_alert("/predict", "silence"), None),
        (an_alert("/predict", "undecodable_rate"), None),
        (an_alert("m", "/predict", "feature", "age", source="break", column="age", role="feature"), None),
        (an_alert("m", "/predict", "realised", source="performance"), "lost"),
        (an_alert("m", "/predict", "labels_late", source="performance"), None),
        (replace(FAILURES, segment="carrier=UA"), None),
        (replace(FAILURES, state="pending"), None),
    ],
    ids=lambda value: f"{value.key} {value.state} {value.segment}" if isinstance(value, Alert) else str(value),
)
def test_what_hurts_follows_from_the_alert(alert: Alert, hurting: str | None) -> None:
    assert hurting_of(alert) == hurting


def reference_of(columns: int) -> Reference:
    rng = np.random.default_rng(1)
    held = {f"x{place}": rng.normal(0, 1, 1000) for place in range(columns)} | {"y": rng.random(1000)}
    return build_reference_from_columns(held, {"y": "output"}, rng=rng, created_at=0.0)


class Rows:
    """A comparison whose history is given rows of which those low in two columns fail."""

    def __init__(self, columns: int, *, seed: int = 2) -> None:
        self.comparison = Comparison(reference_of(columns), Policy())
        self._rng, self._columns = np.random.default_rng(seed), columns

    def take(self, rows: int, at: float, *, failing: float = 0.0, refused: float = 0.0, an_exchange: int = 1) -> None:
        rng = self._rng
        codes = rng.integers(4, 36, (self._columns + 1, rows)).astype(np.uint8)
        inside = (codes[0] < 14) & (codes[1] < 14)
        outcomes = np.where(inside & (rng.random(rows) < failing), FAILED, FINE)
        outcomes = np.where((outcomes == FINE) & (rng.random(rows) < refused), REFUSED, outcomes).astype(np.uint8)
        codes[-1, outcomes != FINE] = NOT_THERE
        numbers = int(at) * 1000 + np.arange(rows) // an_exchange
        traces = np.frombuffer(b"".join(int(each).to_bytes(16, "big") for each in numbers), "V16")
        sampled = SampledRows(
            self.comparison.reference.version,
            codes,
            outcomes,
            np.sort(at + 10 * rng.random(rows)),
            rng.random(rows),
            1.0,
            traces,
        )
        assert self.comparison.history.fits(sampled)
        self.comparison.history.take(sampled, at + 10)

    def asked(self, alert: Alert = FAILURES) -> tuple[Slice | None, int]:
        """What was found, and in how many steps."""
        hurting = hurting_of(alert)
        assert hurting is not None
        steps, count = find_slice(alert, hurting, self.comparison, ()), 0
        while True:
            try:
                next(steps)
                count += 1
            except StopIteration as end:
                found: Slice | None = end.value
                return found, count


def test_among_a_hundred_columns_two_conditions_are_found_in_small_steps() -> None:
    rows = Rows(100)
    rows.take(4000, AT - 10, failing=0.0)
    rows.take(4000, AT, failing=0.6)

    found, steps = rows.asked()

    assert found is not None
    assert found.state == "found"
    assert {each.column for each in found.conditions} == {"x0", "x1"}
    assert steps > 100


def test_with_too_few_rows_that_is_said_and_nothing_else() -> None:
    rows = Rows(5)
    rows.take(100, AT, failing=0.9)

    found, _ = rows.asked()

    assert found is not None
    assert found.state == "too_few"
    assert found.exemplars == ()


def test_without_rows_nothing_is_said() -> None:
    assert Rows(5).asked()[0] is None


def test_after_a_restart_what_was_usual_is_not_known_and_the_slice_is_found() -> None:
    rows = Rows(5)
    rows.take(3000, AT, failing=0.7)

    found, _ = rows.asked()

    assert found is not None
    assert found.state == "found"
    assert np.isnan(found.usual_rate)
    assert "not known" in found.summary


def test_of_an_exchange_of_many_rows_one_counts() -> None:
    rows = Rows(5)
    rows.take(3000, AT, failing=0.7, an_exchange=1000)

    found, _ = rows.asked()

    assert found is not None
    assert found.state == "too_few"
    assert found.rows == 3


def test_refusals_are_not_taken_for_failures() -> None:
    rows = Rows(5)
    rows.take(3000, AT - 10)
    rows.take(3000, AT, refused=0.5)

    found, _ = rows.asked()

    assert found is not None
    assert found.state == "too_few"
    assert "of which 0 " in found.summary


def test_no_condition_is_made_of_a_column_that_is_ignored() -> None:
    rows = Rows(5)
    rows.comparison = Comparison(rows.comparison.reference, Policy(ignored=("x0",)))
    rows.take(4000, AT - 10)
    rows.take(4000, AT, failing=0.7)

    found, _ = rows.asked()

    assert found is not None
    assert "x0" not in {each.column for each in found.conditions}


class Labelled:
    """Stands for the labelled rows of a model: those low in two columns lose more since AT."""

    def __init__(self, *, has_reference: bool) -> None:
        self.columns = reference_of(5).columns
        self._rng, self._has_reference = np.random.default_rng(3), has_reference

    def slice_rows(self, since_at: float) -> DrawnSample:
        past, now = self._rows(3000, AT - 100, 0.1), self._rows(3000, AT, 0.7)
        return now if since_at >= AT else past.followed_by(now)

    def slice_reference(self) -> tuple[np.ndarray, np.ndarray] | None:
        rows = self._rows(9000, 0.0, 0.1)
        return (rows.codes, rows.losses) if self._has_reference else None

    def _rows(self, rows: int, at: float, losing: float) -> DrawnSample:
        codes = self._rng.integers(4, 36, (6, rows)).astype(np.uint8)
        inside = (codes[0] < 14) & (codes[1] < 14)
        losses = (self._rng.random(rows) < np.where(inside, losing, 0.1)).astype(np.float64)
        return DrawnSample(codes, losses, np.full(rows, at), np.zeros(rows, "V16"))


@pytest.mark.parametrize("usual", ["of the reference", "of before"])
def test_losses_of_labelled_rows_are_found(usual: str) -> None:
    alert = an_alert("m", "/predict", "realised", source="performance")

    found = finished(find_lost(alert, Labelled(has_reference=usual == "of the reference"), ()))

    assert found is not None
    assert found.state == "found"
    assert {each.column for each in found.conditions} == {"x0", "x1"}
    assert found.usual_rate == pytest.approx(0.1, abs=0.08)


def test_no_condition_on_losses_is_made_of_a_hidden_column() -> None:
    alert = an_alert("m", "/predict", "realised", source="performance")

    found = finished(find_lost(alert, Labelled(has_reference=True), {"x0"}))

    assert found is not None
    assert "x0" not in {each.column for each in found.conditions}
