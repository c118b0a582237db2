"""The judge as people call it: what it says, what it refuses, what it counts."""

from __future__ import annotations

import doctest
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dashlight.offline.detector
from dashlight import DashlightError, DriftDetector
from dashlight.records import Alert
from dashlight.window.columns import Reference
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.file import dump

Rows = Callable[..., dict[str, Any]]
NAN = float("nan")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(101)


@pytest.fixture
def rows(rng: np.random.Generator) -> Rows:
    """Rows of age, size (one in a hundred missing) and city, of which age can be moved."""

    def made(count: int = 200, age: float = 40.0) -> dict[str, Any]:
        sizes = np.where(rng.random(count) < 0.01, np.nan, rng.gamma(4.0, 500.0, count))
        return {
            "age": rng.normal(age, 10, count),
            "size": sizes,
            "city": rng.choice(["Bonn", "Kiel", "Ulm"], count).tolist(),
        }

    return made


@pytest.fixture
def detector(rows: Rows) -> DriftDetector:
    return DriftDetector(rows(3000))


def alerts_of(detector: DriftDetector, *panes: Mapping[str, Any], first_at: float = 0.0) -> list[Alert]:
    """What *panes* change; the first of them begins ten seconds after *first_at*, where the clock started."""
    if panes and not detector.scores():
        empty = {name: values[:0] for name, values in panes[0].items()}
        detector.update(empty, first_at)
    return [alert for place, pane in enumerate(panes) for alert in detector.update(pane, first_at + 10.0 * (place + 1))]


def of_columns(alerts: Iterable[Alert]) -> list[Alert]:
    """The alerts of distributions of single columns: neither joint ones nor named breaks."""
    return [alert for alert in alerts if alert.column is not None and alert.source == "drift"]


def rows_scored(detector: DriftDetector) -> set[int]:
    return {score.rows for score in detector.scores() if score.statistic == "psi"}


def shares(detector: DriftDetector, statistic: str) -> dict[str | None, float]:
    return {score.column: score.value for score in detector.scores() if score.statistic == statistic}


def test_the_example_of_its_docstring_runs() -> None:
    failed, tried = doctest.testmod(dashlight.offline.detector)

    assert (failed, tried >= 6) == (0, True)


def test_a_shift_fires_once_and_is_resolved_once_it_is_gone(detector: DriftDetector, rows: Rows) -> None:
    panes = [*(rows() for _ in range(20)), *(rows(age=55) for _ in range(20)), *(rows() for _ in range(60))]

    changes = of_columns(alerts_of(detector, *panes))

    assert [(alert.column, alert.state) for alert in changes] == [("age", "firing"), ("age", "resolved")]
    fired, resolved = changes
    assert fired.key == resolved.key
    assert 210 <= fired.at <= 230
    assert fired.causes
    assert "age" in fired.summary
    assert resolved.at > 400
    assert of_columns(detector.alerts) == []


def test_what_fires_stays_in_force_and_is_told_once(detector: DriftDetector, rows: Rows) -> None:
    first = alerts_of(detector, *(rows(age=55) for _ in range(5)))
    more = alerts_of(detector, *(rows(age=55) for _ in range(15)), first_at=50.0)

    assert [alert.state for alert in of_columns(first)] == ["firing"]
    assert of_columns(more) == []
    assert [(alert.column, alert.state) for alert in of_columns(detector.alerts)] == [("age", "firing")]


def test_a_pending_alert_is_in_force_but_not_told(rng: np.random.Generator) -> None:
    detector = DriftDetector({"x": rng.random(20_000)}, tolerance=0.5)

    told = alerts_of(detector, *({"x": rng.random(500) ** 1.3} for _ in range(30)))

    assert told == []
    assert [alert.state for alert in detector.alerts] == ["pending"]


def test_the_first_call_starts_the_clock_and_a_full_pane_ends_it(detector: DriftDetector, rows: Rows) -> None:
    detector.update(rows(10), 1000.0)
    detector.update(rows(20), 1009.9)
    assert detector.scores() == []

    detector.update(rows(30), 1010.0)

    assert rows_scored(detector) == {60}


def test_a_jump_of_the_clock_ends_one_pane(detector: DriftDetector, rows: Rows) -> None:
    detector.update(rows(10), 0.0)
    detector.update(rows(20), 1e9)
    detector.update(rows(40), 1e9 + 9)
    detector.update(rows(40), 1e9 + 9)

    assert rows_scored(detector) == {30}


def test_ten_panes_of_a_tenth_of_a_second_are_a_second(rows: Rows) -> None:
    detector = DriftDetector(rows(500), pane_seconds=0.1)

    seen = []
    for step in range(11):
        detector.update(rows(10), 1_700_000_000 + step * 0.1)
        seen.append(max(rows_scored(detector), default=0))

    assert seen == [0, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110]


def test_scores_look_back_an_hour(rows: Rows) -> None:
    detector = DriftDetector(rows(500), pane_seconds=1800)
    for step in range(5):
        detector.update(rows(10 * (step + 1)), step * 1800.0)

    assert rows_scored(detector) == {40 + 50}


def test_scores_of_panes_longer_than_an_hour_are_those_of_the_last(rows: Rows) -> None:
    detector = DriftDetector(rows(500), pane_seconds=86400)
    for step in range(3):
        detector.update(rows(10), step * 86400.0)

    assert rows_scored(detector) == {10}


def test_columns_that_are_missing_are_null_and_unknown_ones_are_counted(detector: DriftDetector, rows: Rows) -> None:
    pane = {"age": rows(50)["age"], "height": np.zeros(50), "shoe": [1] * 50}

    alerts_of(detector, pane, pane)

    assert shares(detector, "missing_rate") == {"age": 0.0, "size": 1.0, "city": 1.0}
    assert detector.unknown_columns == {"height": 100, "shoe": 100}


def test_names_that_clients_invent_are_remembered_up_to_a_thousand(detector: DriftDetector) -> None:
    detector.update({"age": [1.0], **{f"x{place}": [1.0] for place in range(1100)}}, 0.0)
    detector.update({"age": [1.0], "x0": [1.0], "x1099": [1.0]}, 1.0)

    assert len(detector.unknown_columns) == 1000
    assert detector.unknown_columns["x0"] == 2


def test_a_column_that_changes_its_kind_is_counted_by_its_errors(detector: DriftDetector) -> None:
    pane = {"age": ["forty", "4l", "41", 42.0], "size": [[1], {}, True, 5], "city": [b"Ulm", ["Ulm"], "Ulm", "Ulm"]}

    alerts_of(detector, pane)

    assert shares(detector, "type_error_rate") == {"age": 0.5, "size": 0.75, "city": 0.5}


def test_infinite_values_are_out_of_range(detector: DriftDetector, rows: Rows) -> None:
    alerts_of(detector, rows(4) | {"age": [np.inf, -np.inf, 40.0, 41.0]})

    assert shares(detector, "out_of_range_rate")["age"] == 0.5


def test_thousands_of_categories_are_quiet_and_new_ones_are_noticed(rng: np.random.Generator) -> None:
    def pane(count: int, new: float = 0.0) -> dict[str, Any]:
        return {"zip": [f"{'n' if rng.random() < new else 'k'}{code}" for code in rng.integers(0, 2000, count)]}

    detector = DriftDetector(pane(20_000))

    assert alerts_of(detector, *(pane(100) for _ in range(30))) == []
    changes = alerts_of(detector, *(pane(100, new=0.3) for _ in range(10)), first_at=300.0)
    assert [(alert.column, alert.state) for alert in of_columns(changes)] == [("zip", "firing")]


def test_a_column_of_infinities_alone_has_scores(rng: np.random.Generator) -> None:
    detector = DriftDetector({"x": np.full(500, np.inf), "y": rng.random(500)})

    alerts_of(detector, {"x": [np.inf, 7.0, -np.inf, NAN], "y": [0.5] * 4})

    assert shares(detector, "missing_rate")["x"] == 0.25
    assert all(np.isfinite([score.value, score.low, score.high]).all() for score in detector.scores())


@pytest.mark.parametrize("value", [NAN, 5.0], ids=["null", "constant"])
def test_a_column_of_one_value_alone_is_quiet_until_it_holds_another(value: float, rng: np.random.Generator) -> None:
    detector = DriftDetector({"x": np.full(500, value), "y": rng.random(500)})

    assert alerts_of(detector, *({"x": np.full(100, value), "y": rng.random(100)} for _ in range(10))) == []
    changes = alerts_of(detector, *({"x": [7.0] * 100, "y": rng.random(100)} for _ in range(5)), first_at=100.0)
    assert [(alert.column, alert.state) for alert in of_columns(changes)] == [("x", "firing")]
    assert all(np.isfinite([score.value, score.low, score.high]).all() for score in detector.scores())


def test_codes_that_are_declared_categories_are_judged_as_such(rng: np.random.Generator) -> None:
    def pane(count: int, codes: list[int]) -> dict[str, Any]:
        return {"code": rng.choice(codes, count)}

    detector = DriftDetector(pane(2000, [10, 20, 30]), {"code": "categorical"})

    changes = alerts_of(detector, *(pane(100, [10, 20, 30, 25]) for _ in range(10)))

    assert [alert.state for alert in changes] == ["firing"]
    assert "never seen" in changes[0].summary


def test_texts_that_grow_longer_fire_for_their_column(rng: np.random.Generator) -> None:
    def pane(count: int, most: int) -> dict[str, Any]:
        return {"comment": [" ".join(["word"] * words) for words in rng.integers(5, most, count)]}

    detector = DriftDetector(pane(2000, 40), {"comment": "text"})

    assert alerts_of(detector, *(pane(100, 40) for _ in range(20))) == []
    changes = alerts_of(detector, *(pane(100, 60) for _ in range(10)), first_at=200.0)
    assert {(alert.column, alert.state) for alert in of_columns(changes)} == {("comment", "firing")}
    assert any("comment · words" in alert.summary for alert in changes)
    assert "firing: 'comment'" in repr(detector)


def test_vectors_that_move_fire_for_their_column(rng: np.random.Generator) -> None:
    def pane(count: int, shift: float = 0.0) -> dict[str, Any]:
        return {"embedding": rng.normal(shift, 1, (count, 300))}

    detector = DriftDetector(pane(2000))

    assert alerts_of(detector, *(pane(100) for _ in range(20))) == []
    changes = alerts_of(detector, *(pane(100, 0.05) for _ in range(10)), first_at=200.0)
    assert {(alert.column, alert.state) for alert in of_columns(changes)} == {("embedding", "firing")}


def test_vectors_of_another_width_are_type_errors(rng: np.random.Generator) -> None:
    detector = DriftDetector({"embedding": rng.normal(0, 1, (500, 32))})

    alerts_of(detector, {"embedding": [[0.0] * 32, [0.0] * 33, None, "text"]})

    assert shares(detector, "type_error_rate")["embedding"] == 0.5
    assert shares(detector, "missing_rate")["embedding"] == 0.25


def test_a_detector_from_the_file_that_another_saved_is_its_equal(tmp_path: Path, rng: np.random.Generator) -> None:
    def pane(count: int, shift: float) -> dict[str, Any]:
        return {
            "comment": [" ".join(["word"] * words) for words in rng.integers(5, 40, count)],
            "embedding": rng.normal(shift, 1, (count, 20)),
            "age": rng.normal(shift, 1, count),
        }

    one = DriftDetector(pane(1000, 0.0), {"comment": "text"})
    one.save(tmp_path / "reference.json")
    other = DriftDetector(tmp_path / "reference.json")
    panes = [pane(50, 0.0 if place < 5 else 1.0) for place in range(10)]

    assert [alert.key for alert in alerts_of(one, *panes)] == [alert.key for alert in alerts_of(other, *panes)] != []
    assert one.scores() == other.scores()
    assert one.reference.version == other.reference.version


def test_outputs_of_a_reference_file_are_looked_at_where_any_is_there(rng: np.random.Generator) -> None:
    columns = {"age": rng.normal(0, 1, 500), "score": rng.random(500)}
    reference = build_reference_from_columns(columns, {"score": "output"}, rng=rng, created_at=0.0, model="risk")
    detector = DriftDetector(dump(reference))

    alerts_of(detector, {"age": rng.normal(0, 1, 50)})
    assert {score.column for score in detector.scores()} == {"age"}
    detector.update({"age": rng.normal(0, 1, 50), "score": rng.random(50)}, 20.0)

    scored = {(score.column, score.role, score.rows) for score in detector.scores() if score.statistic == "psi"}
    assert scored == {
        ("age", "feature", 100),
        ("score", "output", 50),
    }


def test_a_frame_is_as_good_as_a_mapping(rows: Rows) -> None:
    columns = rows(500)
    one, other = DriftDetector(columns), DriftDetector(pa.table(columns))
    pane = rows(100)
    empty = {name: values[:0] for name, values in pane.items()}
    for detector, handed in ((one, (empty, pane)), (other, (pa.table(empty), pa.table(pane)))):
        for step, part in enumerate(handed):
            detector.update(part, 10.0 * step)

    assert one.scores() == other.scores()


def test_columns_whose_reference_is_too_short_are_named(rng: np.random.Generator) -> None:
    wandering = np.repeat(rng.normal(0, 5, 6), 400) + rng.normal(0, 1, 2400)

    assert "wandering" in DriftDetector({"wandering": wandering, "steady": rng.normal(0, 1, 2400)}).too_short


def test_it_tells_what_it_is(detector: DriftDetector, rng: np.random.Generator) -> None:
    assert repr(detector) == "DriftDetector(3 columns, 3,000 reference rows, 1/30d; quiet)"
    assert repr(DriftDetector({"x": rng.random(200)})).startswith("DriftDetector(1 column, 200")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"false_alarms": "never"}, "false_alarms is 'never': expected a number of alarms", id="words"),
        pytest.param({"false_alarms": 5}, "false_alarms is 5: expected", id="number"),
        pytest.param({"false_alarms": "nan/30d"}, "false_alarms is 'nan/30d'.*expected", id="nan"),
        pytest.param({"false_alarms": "1/5s"}, "'1/5s', more than one in every pane of 10 s", id="more than panes"),
        pytest.param({"tolerance": 0}, "tolerance is 0: expected a number above 0 and up to 1", id="no tolerance"),
        pytest.param({"tolerance": 1.5}, "tolerance is 1.5: expected a number above 0", id="much tolerance"),
        pytest.param({"tolerance": "2%"}, "tolerance is '2%': expected a number above 0", id="tolerance as text"),
        pytest.param({"pane_seconds": -1}, "pane_seconds is -1: expected a number of seconds above 0", id="pane"),
        pytest.param({"pane_seconds": NAN}, "pane_seconds is nan: expected", id="pane of nan"),
        pytest.param({"pane_seconds": True}, "pane_seconds is True: expected", id="pane as truth"),
    ],
)
def test_a_setting_that_cannot_be_used_is_an_error(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(DashlightError, match=message):
        DriftDetector({"x": np.arange(200.0)}, **arguments)


@pytest.mark.parametrize(
    ("columns", "at", "message"),
    [
        pytest.param({"age": [1.0]}, 99.0, "at is 99.0, before the last update at 100.0: expected", id="backward"),
        pytest.param({"age": [1.0]}, NAN, "at is nan: expected seconds since the epoch", id="nan"),
        pytest.param({"age": [1.0]}, np.inf, "at is inf: expected seconds", id="infinite"),
        pytest.param({"age": [1.0]}, None, "at is of type NoneType: expected seconds", id="none"),
        pytest.param({"age": [1.0]}, "noon", "at is of type str: expected seconds", id="text"),
        pytest.param({}, 110.0, "the update has no columns", id="no columns"),
        pytest.param({"aeg": [1.0]}, 110.0, r"the update has 'aeg' \(did you mean 'age'\?\): expected columns of the "
                     "reference, 'age', 'size', 'city'", id="all unknown"),
        pytest.param({"age": [1.0], "size": [1.0, 2.0]}, 110.0, "column 'size' of the update has 2 rows: expected 1",
                     id="lengths"),
        pytest.param({"age": np.zeros((1, 20))}, 110.0, r"column 'age' of the update is an array of shape \(1, 20\)",
                     id="vectors"),
        pytest.param({"age": 5}, 110.0, "column 'age' of the update is of type int", id="one value"),
    ],
)  # fmt: skip
def test_an_update_that_cannot_be_used_is_an_error_and_changes_nothing(
    detector: DriftDetector, rows: Rows, columns: Any, at: Any, message: str
) -> None:
    detector.update(rows(50), 100.0)

    with pytest.raises(DashlightError, match=message):
        detector.update(columns, at)

    detector.update(rows(50), 110.0)
    assert rows_scored(detector) == {100}
    assert detector.unknown_columns == {}


def test_a_facets_name_is_no_column_that_one_hands_in(rng: np.random.Generator) -> None:
    detector = DriftDetector({"comment": [f"word {place}" for place in range(300)]}, {"comment": "text"})

    detector.update({"comment": ["a b"], "comment · words": [99.0]}, 0.0)

    assert detector.unknown_columns == {"comment · words": 1}


@cache
def reference_of_every_kind() -> Reference:
    rng = np.random.default_rng(7)
    columns = {
        "n": rng.normal(0, 1, 300),
        "c": rng.choice(["a", "b"], 300),
        "t": [f"{place} words" for place in range(300)],
        "v": rng.normal(0, 1, (300, 20)),
        "b": rng.random(300) < 0.5,
    }
    return DriftDetector(columns, {"t": "text"}).reference


CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.binary(max_size=3), st.complex_numbers(),
    st.lists(st.one_of(st.floats(), st.none(), st.text(max_size=2)), max_size=20), st.datetimes(), st.decimals(), st.dates(),
    st.timedeltas(), st.dictionaries(st.text(max_size=2), st.integers(), max_size=2), st.tuples(), st.times(),
)  # fmt: skip
JUNK = st.one_of(
    st.lists(CELLS, max_size=12),
    st.lists(CELLS, min_size=6, max_size=6),
    st.lists(st.floats(), min_size=6, max_size=6).map(np.array),
    st.lists(st.floats(), min_size=6, max_size=6).map(lambda cells: np.outer(cells, np.ones(20))),
    st.sampled_from([np.zeros((6, 3)), np.zeros((2, 2, 2)), 5, "text", None, {}, set(), np.ma.masked_array(np.zeros(6), True), np.zeros(6, "M8[s]")]),
)  # fmt: skip
JUNK_COLUMNS = st.dictionaries(st.sampled_from(["n", "c", "t", "v", "b", "other"]), JUNK, max_size=6)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(JUNK_COLUMNS, st.floats(-1e3, 1e12)), min_size=1, max_size=4))
def test_junk_raises_nothing_but_our_error_and_makes_no_nan(updates: list[tuple[dict[str, Any], float]]) -> None:
    detector = DriftDetector(reference_of_every_kind())

    for columns, at in updates:
        with suppress(DashlightError):
            detector.update(columns, at)

    for score in detector.scores():
        assert np.isfinite([score.value, score.low, score.high]).all(), score


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    st.lists(CELLS, min_size=1, max_size=8),
    st.sampled_from([None, "numeric", "categorical", "boolean", "text", "vector"]),
)
def test_junk_as_a_reference_raises_nothing_but_our_error_and_makes_no_nan(cells: list[Any], kind: str | None) -> None:
    column = (cells * 200)[:200]
    try:
        detector = DriftDetector({"x": column}, None if kind is None else {"x": kind})
    except DashlightError:
        return
    detector.update({"x": column}, 0.0)
    detector.update({"x": column[:50]}, 10.0)

    for score in detector.scores():
        assert np.isfinite([score.value, score.low, score.high]).all(), score


def test_what_the_reference_leaves_out_is_not_unknown(rows: Rows) -> None:
    detector = DriftDetector({**rows(500), "seq": np.arange(500)})

    for pane in range(3):
        detector.update({**rows(50), "seq": np.arange(50) + 500 + 50 * pane, "height": np.zeros(50)}, 10.0 * pane)

    assert [each.name for each in detector.reference.left_out] == ["seq"]
    assert detector.unknown_columns == {"height": 150}


def _measured(rng: np.random.Generator, rows: int) -> dict[str, Any]:
    held: dict[str, Any] = {f"x{place}": rng.normal(size=rows) for place in range(5)}
    return held | {"city": rng.choice(list("abcdefgh"), rows), "flag": rng.random(rows) < 0.1}


def _fired(detector: DriftDetector, live: dict[str, Any], rows: int = 30) -> list[tuple[int, Alert]]:
    found: list[tuple[int, Alert]] = []
    for pane in range(len(next(iter(live.values()))) // rows):
        part = {name: values[pane * rows : (pane + 1) * rows] for name, values in live.items()}
        found += [(pane, each) for each in detector.update(part, at=10.0 * pane) if each.state == "firing"]
    return found


def test_a_payload_sent_thirty_times_is_told_as_such_and_is_no_drift() -> None:
    rng = np.random.default_rng(21)
    detector, live = DriftDetector(_measured(rng, 3000)), _measured(rng, 3000)
    for values in live.values():
        values[1500:1530] = values[1500]

    fired = _fired(detector, live)

    assert [(pane, each.source, each.column) for pane, each in fired] == [(51, "traffic", None)]
    assert fired[0][1].summary == "one payload was 17 % of the rows in a minute: it counts once"
    # Totals are those of all rows.
    assert {score.rows for score in detector.scores() if score.statistic == "missing_rate"} == {3000}


def test_few_distinct_rows_are_as_quiet_and_as_quick_as_ever() -> None:
    rng = np.random.default_rng(22)

    def rows(count: int, share: float) -> dict[str, Any]:
        return {"flag": rng.random(count) < share, "odd": rng.random(count) < 0.5, "paid": rng.random(count) < 0.4}

    reference = rows(4000, 0.1)

    assert _fired(DriftDetector(reference), rows(6000, 0.1)) == []
    fired = _fired(DriftDetector(reference), rows(900, 0.4))
    assert fired[0][0] < 8
    assert {each.column for _, each in fired if each.column} == {"flag"}


def test_values_that_are_stuck_are_drift_and_no_repeats() -> None:
    rng = np.random.default_rng(23)
    live = _measured(rng, 900)
    live["x0"][:] = live["x1"][:] = 0.0

    fired = _fired(DriftDetector(_measured(rng, 3000)), live)

    assert {each.column for pane, each in fired if pane < 5} >= {"x0", "x1"}


def _sessions(rng: np.random.Generator, rows: int, length: int = 12) -> dict[str, Any]:
    """Sessions that come side by side, each with a level of its own."""
    count = rows // length + 30
    places = np.argsort(np.repeat(np.arange(count), length) + rng.normal(0, 8, count * length))[:rows]
    session = np.repeat(np.arange(count), length)[places]
    level = rng.normal(size=(count, 3))[session] + 0.1 * rng.normal(size=(rows, 3))
    prefix = rng.integers(1 << 30)
    return {f"x{place}": level[:, place] for place in range(3)} | {"session": [f"{prefix}-{each}" for each in session]}


def test_rows_that_hang_together_by_a_key_count_as_they_are_worth() -> None:
    rng = np.random.default_rng(31)
    detector = DriftDetector(_sessions(rng, 12_000), cluster="session")
    live = _sessions(rng, 12_000)

    assert _fired(detector, live, 100) == []
    assert 900 <= detector.reference.rows <= 1700
    assert detector.reference.cluster == "session"
    assert {column.name for column in detector.reference.columns} == {"x0", "x1", "x2"}
    assert not detector.unknown_columns
    # Totals are those of all rows.
    assert {each.rows for each in detector.scores() if each.statistic == "missing_rate"} == {12_000}

    moved = _sessions(rng, 9000)
    moved["x1"] = moved["x1"] + 1.5
    found = [
        alert
        for pane in range(90)
        for alert in detector.update(
            {name: values[pane * 100 : (pane + 1) * 100] for name, values in moved.items()}, at=10.0 * (200 + pane)
        )
    ]
    assert {alert.column for alert in found if alert.column} == {"x1"}


def test_one_user_who_asks_for_half_of_the_rows_is_no_drift() -> None:
    rng = np.random.default_rng(32)

    def rows(count: int) -> dict[str, Any]:
        return {"x": rng.normal(size=count), "y": rng.normal(size=count), "user": rng.integers(0, 10**9, count)}

    detector, live = DriftDetector(rows(3000), cluster="user"), rows(9000)
    loud = rng.random(9000) < 0.5
    loud[:2000] = False
    live["user"][loud] = 123_456_789
    live["x"][loud] = 1.3 + 0.05 * rng.normal(size=int(loud.sum()))

    assert _fired(detector, live, 100) == []


@pytest.mark.parametrize(
    ("cluster", "sentence"),
    [
        ("sesion", r"cluster is 'sesion' \(did you mean 'session'\?\), which the reference lacks"),
        ("", "cluster is '', which the reference lacks"),
    ],
)
def test_a_cluster_that_is_not_there_is_refused(cluster: str, sentence: str) -> None:
    with pytest.raises(DashlightError, match=sentence):
        DriftDetector(_sessions(np.random.default_rng(33), 2400), cluster=cluster)


def test_a_reference_says_itself_by_what_its_rows_hang_together() -> None:
    rng = np.random.default_rng(34)
    made = DriftDetector(_sessions(rng, 6000), cluster="session").reference

    assert DriftDetector(dump(made)).reference.cluster == "session"
    assert DriftDetector(dump(made), cluster="session").reference.version == made.version
    with pytest.raises(DashlightError, match="cluster is 'user': the reference was made by 'session'"):
        DriftDetector(made, cluster="user")
    with pytest.raises(DashlightError, match="cluster is 'user': the reference was made of independent rows"):
        DriftDetector(DriftDetector({"x": rng.normal(size=300)}).reference, cluster="user")
