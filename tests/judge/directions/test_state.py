"""A judge of directions that is stopped and goes on from what was written, and what it refuses to go on from."""

from collections.abc import Callable
from dataclasses import is_dataclass, replace
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter

from dashlight.judge.directions.bets import observed
from dashlight.judge.directions.judge import DirectionJudge, DirectionJudgeState
from dashlight.judge.directions.learning import FURTHEST, LONGEST_GAP, Learned
from dashlight.judge.evidence.cusum import CAP_NATS
from dashlight.records import Alert
from dashlight.window.columns import DirectionReference
from dashlight.window.reference.directions import RowsMeter
from dashlight.window.reference.directions_file import direction_content, parsed_direction

Floats: TypeAlias = NDArray[np.float64]
Stream: TypeAlias = Callable[[np.random.Generator, int], Floats]
Frozen: TypeAlias = Callable[[object], bytes]
Thawed: TypeAlias = Callable[[DirectionJudgeState], DirectionJudgeState]
Change: TypeAlias = Callable[[Any], Any]

DIMS = 8
MOVES = ((0.0, 1500), (0.4, 2500), (1.2, 2500), (0.0, 2500), (1.2, 1500), (0.0, 3500), (1.0, 1500))
"""(shift of four dimensions, rows): nothing, pending, firing, resolved, soon again, resolved, firing."""


def independent(rng: np.random.Generator, rows: int) -> Floats:
    return rng.standard_normal((rows, DIMS))


def remembering(rng: np.random.Generator, rows: int) -> Floats:
    """Rows that hang together, so that the last ones wait to be learned from."""
    noise = rng.standard_normal((rows + 500, DIMS)) * np.sqrt(1 - 0.8**2)
    return np.asarray(lfilter([1], [1, -0.8], noise, axis=0)[500:])


def reference_of(rows: Floats) -> DirectionReference:
    meter = RowsMeter(rows.shape[1], rng=np.random.default_rng(5))
    meter.add(rows)
    reference = meter.reference()
    assert reference is not None
    return reference


def judge_of(reference: DirectionReference) -> DirectionJudge:
    names = [f"x{place}" for place in range(reference.dims)]
    return DirectionJudge(reference, panes=20_000.0, tolerance=1.0, model="m", endpoint="/p", names=names)


def went_on(judge: DirectionJudge, state: DirectionJudgeState) -> DirectionJudge:
    judge.restore(state)
    return judge


def moved(rng: np.random.Generator, stream: Stream) -> Floats:
    shift = np.concatenate([np.full(rows, shift) for shift, rows in MOVES])
    rows = stream(rng, len(shift))
    rows[:, :4] += shift[:, np.newaxis]
    return rows


@pytest.mark.parametrize("stream", [independent, remembering])
@pytest.mark.parametrize("seed", [801, 802])
def test_a_judge_that_is_stopped_at_any_moment_goes_on_as_if_it_never_was(
    stream: Stream, seed: int, frozen: Frozen, thawed: Thawed
) -> None:
    rng = np.random.default_rng(seed)
    reference = reference_of(stream(rng, 20_000))
    rows = moved(rng, stream)
    whole, cut, resumed = judge_of(reference), judge_of(reference), list[DirectionJudge]()
    late = whole.direction
    told: list[Alert] = []
    start, pane = 0, 0
    while start < len(rows):
        end = start + int(rng.choice([0, 1, 40, 100, 250]))
        middle = (start + end) // 2
        pane += 1
        for judge in (whole, cut, *resumed):
            judge.observe(rows[start:middle])
        cut = went_on(judge_of(reference), thawed(cut.state))
        for judge in (whole, cut, *resumed):
            judge.add(observed(late, rows[middle:end]))
        if pane % 3 == 0:
            late = whole.direction

        expected = whole.close(10.0 * pane)

        told += expected
        for judge in (cut, *resumed):
            assert repr(judge.close(10.0 * pane)) == repr(expected)
            assert frozen(judge.state) == frozen(whole.state)
            assert frozen(judge.direction) == frozen(whole.direction)
            assert judge.margin == whole.margin
        cut = went_on(judge_of(reference), thawed(cut.state))
        if pane % 50 == seed % 50:
            resumed.append(went_on(judge_of(reference), thawed(whole.state)))
        start = end

    states = [alert.state for alert in told]
    assert {"pending", "firing", "resolved"} <= set(states)
    assert [*pairwise(states)].count(("firing", "resolved")) >= 2
    assert states[-1] == "firing"
    assert len(resumed) > 3


@pytest.fixture(scope="module")
def reference() -> DirectionReference:
    return reference_of(remembering(np.random.default_rng(803), 20_000))


@pytest.fixture(scope="module")
def firing(reference: DirectionReference) -> DirectionJudge:
    """A judge with an alert that fires, and a pane that is open."""
    rng = np.random.default_rng(804)
    judge = judge_of(reference)
    for pane in range(200):
        judge.observe(remembering(rng, 5) + 2.0 * (pane > 100))
        judge.close(10.0 * pane)
    judge.observe(remembering(rng, 5))
    return judge


def with_changed(value: Any, path: tuple[Any, ...], change: Change) -> Any:
    """*value* with something else where *path* leads."""
    if not path:
        return change(value)
    name, *rest = path
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{name: with_changed(getattr(value, name), tuple(rest), change)})
    return (*value[:name], with_changed(value[name], tuple(rest), change), *value[name + 1 :])


def to(value: object) -> Change:
    return lambda _: value


def with_first(item: float) -> Change:
    def change(array: Floats) -> Floats:
        changed = array.copy()
        changed.flat[0] = item
        return changed

    return change


def longer(array: Floats) -> Floats:
    return np.concatenate([array, array])


def single(array: Floats) -> NDArray[np.float32]:
    return array.astype(np.float32)


@pytest.mark.parametrize(
    ("path", "change", "sentence"),
    [
        (("learned", "sums"), longer, "sums of rows of shape"),
        (("learned", "sums"), single, "sums of rows of shape .* and type float32"),
        (("learned", "sums"), with_first(np.nan), "sums of rows from nan"),
        (("learned", "sums"), with_first(1e300), "sums further out than their rows"),
        (("learned", "rows"), longer, "rows learned from of shape"),
        (("learned", "rows"), with_first(-1.0), "rows learned from from -1"),
        (("learned", "rows"), with_first(np.inf), "rows learned from from .* to inf"),
        (("learned", "rows"), with_first(0.0), "sums further out than their rows"),
        (("learned", "fresh", 0, 0), longer, "the sum of a pane of shape"),
        (("learned", "fresh", 0, 0), with_first(np.nan), "the sum of a pane from nan"),
        (("learned", "fresh", 0, 0), with_first(5.1 * FURTHEST), "the sum of a pane from"),
        (("learned", "fresh", 0, 1), to(0), "rows of a pane of 0"),
        (("learned", "fresh"), lambda fresh: fresh * LONGEST_GAP, "rows that wait of"),
        (("watch", "hysteresis", "patience"), to(0), "patience of 0"),
        (("watch", "alert"), to(None), "an alert in another state"),
        (("watch", "alert", "key"), to("drift/m/%2Fp/direction/v"), "an alert of something else"),
        (("watch", "alert", "state"), to("pending"), "an alert in another state"),
        (("watch", "alert", "since_at"), to(np.inf), "the beginning of a change"),
        (("watch", "fading", "weight"), longer, "weights of rows of shape"),
        (("watch", "sums"), longer, "sums of scores of shape"),
        (("watch", "sums"), with_first(np.inf), "sums of scores from"),
        (("watch", "sums"), with_first(1e6), "sums of scores larger than"),
        (("watch", "peak"), to(-0.1), "the largest effect of -0.1"),
        (("watch", "peak"), to(7.0), "the largest effect of 7.0"),
        (("watch", "rows_to_fire"), to(np.nan), "rows to fire of nan"),
        (("watch", "rows_seen"), to(-1), "rows seen of -1"),
        (("bets", "margins"), with_first(CAP_NATS + 1), "margins from"),
        (("bets", "age"), longer, "ages of shape"),
        (("ends", "closed"), to(-1), "closed panes of -1"),
        (("weights",), longer, "weights of shape"),
        (("weights",), with_first(np.nan), "weights from nan"),
        (("weights",), with_first(np.inf), "weights from .* to inf"),
        (("number",), to(0), "the number of a direction of 0"),
        (("number",), to(2**48), "the number of a direction of 281474976710656"),
        (("number",), to(3), "a pane along another direction"),
        (("rows_since",), to(-1), "rows since a direction was renewed of -1"),
        (("valid_from",), to(-1), "the first direction that is valid of -1"),
        (("valid_from",), to(1000), "the first direction that is valid of 1000"),
        (("pane", "direction"), to(2), "a pane along another direction"),
        (("pane", "rows"), to(-1), "rows along a direction of -1"),
        (("pane", "rows"), to(0), "sums of rows from"),
        (("pane", "total"), longer, "sums of rows of shape"),
        (("pane", "total"), with_first(1e155), "sums of rows from"),
        (("pane", "gains"), with_first(-12.0), "gains from -12"),
        (("pane", "gains"), with_first(np.nan), "gains from nan"),
        (("pane", "scores"), with_first(31.0), "sums of scores from"),
    ],
    ids=lambda value: "" if callable(value) or isinstance(value, str) else ".".join(map(str, value)),
)
def test_what_no_panes_lead_to_is_refused(
    reference: DirectionReference, firing: DirectionJudge, path: tuple[Any, ...], change: Change, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        judge_of(reference).restore(with_changed(firing.state, path, change))


@pytest.mark.parametrize("size", [1e-300, 1e-30, 1e30, 1e300])
def test_whatever_was_learned_a_judge_goes_on(
    reference: DirectionReference, firing: DirectionJudge, thawed: Thawed, size: float
) -> None:
    judge = went_on(judge_of(reference), with_changed(thawed(firing.state), ("weights",), with_first(size)))

    for pane in range(100):
        judge.observe(remembering(np.random.default_rng(pane), 50))
        judge.close(1000.0 + 10.0 * pane)

    assert np.isfinite(judge.margin)


@pytest.mark.parametrize("dims", [3, 100])
def test_beside_a_reference_that_was_read_a_judge_goes_on_all_the_same(
    dims: int, frozen: Frozen, thawed: Thawed
) -> None:
    rng = np.random.default_rng(807)
    learned = reference_of(rng.standard_normal((3000, dims)))
    read = parsed_direction(direction_content(learned))
    whole, cut = judge_of(learned), judge_of(learned)
    for pane in range(30):
        rows = rng.standard_normal((60, dims)) + 0.3 * (pane > 5)
        whole.observe(rows)
        cut.observe(rows)
        assert repr(cut.close(10.0 * pane)) == repr(whole.close(10.0 * pane))
        if pane % 5 == 0:
            cut = went_on(judge_of(read), thawed(cut.state))
        assert frozen(cut.direction) == frozen(whole.direction)

    assert frozen(cut.state) == frozen(whole.state)


def test_the_state_of_other_rows_is_refused(firing: DirectionJudge) -> None:
    other = judge_of(reference_of(np.random.default_rng(805).standard_normal((2000, 3))))

    with pytest.raises(ValueError, match="expected \\(2, 3\\)"):
        other.restore(firing.state)


@pytest.mark.parametrize("memory_rows", [1.0, 2.5, 1000.0])
@pytest.mark.parametrize("huge", [1.0, 1e9, 1e150])
def test_whatever_rows_came_what_was_learned_can_be_taken_over(
    reference: DirectionReference, memory_rows: float, huge: float
) -> None:
    rng = np.random.default_rng(806)
    learned = Learned(reference, memory_rows=memory_rows)

    for _ in range(200):
        rows = int(rng.choice([1, 3, 100, 5000]))
        learned.add(huge * rng.standard_normal(DIMS) * rows, rows)
        Learned(reference, memory_rows=memory_rows).restore(learned.state)
