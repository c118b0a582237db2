from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.pairs.judge import PairJudge
from dashlight.records import Alert
from dashlight.window.bins import Binner
from dashlight.window.columns import ColumnReference, PairReference
from dashlight.window.pairs import PairCounter, PairCounts
from dashlight.window.reference.pairs_meter import ConcordanceMeter
from dashlight.window.tables import table_of_columns

Values = NDArray[np.float64]
ColumnsOf = Callable[..., tuple[ColumnReference, ...]]
PANES = 259_200.0


class World:
    """A reference of some rows, and panes of others."""

    def __init__(self, columns_of: ColumnsOf, rows: Values) -> None:
        self.columns = columns_of(self._named(rows), ordered=False)
        self._binner = Binner(self.columns)
        meter = ConcordanceMeter(self.columns)
        meter.add(self._codes(rows))
        reference = meter.reference()
        assert reference is not None
        self.reference: PairReference = reference
        self._counter = PairCounter(reference.places, reference.signs)

    def panes(self, rows: Values, size: int = 100) -> Iterator[PairCounts]:
        codes = self._codes(rows)
        for start in range(0, codes.shape[1], size):
            yield self._counter.count(codes[:, start : start + size])

    def _codes(self, rows: Values) -> NDArray[np.uint8]:
        return self._binner.codes(table_of_columns(self._named(rows)))

    @staticmethod
    def _named(rows: Values) -> dict[str, Values]:
        return {f"x{place}": column for place, column in enumerate(rows)}


def correlated(rng: np.random.Generator, rows: int, correlation: float = 0.0, columns: int = 8) -> Values:
    values = rng.standard_normal((columns, rows))
    values[1] = correlation * values[0] + np.sqrt(1 - correlation**2) * values[1]
    return values


def judged(judge: PairJudge, panes: Iterator[PairCounts], start: int = 0) -> list[tuple[int, Alert]]:
    """The alerts with the number of the pane after which they came."""
    return [
        (pane, alert) for pane, counts in enumerate(panes, start + 1) for alert in judge.update(counts, 10.0 * pane)
    ]


def states(news: list[tuple[int, Alert]]) -> list[str]:
    told = [alert.state for _, alert in news]
    return [state for before, state in zip(["", *told], told, strict=False) if state != before]


@pytest.fixture
def world(columns_of: ColumnsOf) -> World:
    return World(columns_of, correlated(np.random.default_rng(0), 10_000))


@pytest.mark.parametrize(
    ("correlation", "panes"), [(0.5, 7), (0.8, 3), (-0.5, 7)], ids=["together", "closely", "against each other"]
)
def test_columns_that_begin_to_depend_on_one_another_fire_soon(world: World, correlation: float, panes: int) -> None:
    rng = np.random.default_rng(1)
    judge = PairJudge(world.columns, world.reference, panes=PANES, model="m", version="3", endpoint="/p")
    quiet = judged(judge, world.panes(correlated(rng, 3000)))

    news = judged(judge, world.panes(correlated(rng, 1000, correlation)), 30)

    assert quiet == []
    pane, alert = next(told for told in news if told[1].state == "firing")
    assert pane <= 30 + panes
    assert 270 <= alert.since_at <= 10.0 * pane
    assert (alert.key, alert.source, alert.column, alert.role) == ("drift/m/%2Fp/joint", "drift", None, None)
    assert (alert.model, alert.version, alert.endpoint, alert.at) == ("m", "3", "/p", 10.0 * pane)
    assert alert.summary.startswith(f"x0 and x1 {'now rise together' if correlation > 0 else 'now move against'}")
    assert alert.causes[0].reference == pytest.approx(0.5, abs=0.05)
    assert (alert.causes[0].current > 0.6) == (correlation > 0)
    assert alert.score > 0.14
    assert alert.rows > 0


def test_it_resolves_once_when_the_dependence_is_gone_and_does_not_flap(world: World) -> None:
    rng = np.random.default_rng(2)
    judge = PairJudge(world.columns, world.reference, panes=PANES)

    firing = judged(judge, world.panes(correlated(rng, 6000, 0.5)))
    after = judged(judge, world.panes(correlated(rng, 20_000)), 60)

    assert states(firing)[-1] == "firing"
    assert states(after) == ["resolved"]
    assert after[0][0] <= 60 + 12
    assert after[0][1].summary.startswith("the columns depend on one another as in the reference again; it was: x0 and")


def test_what_fires_on_is_told_after_one_two_four_panes(world: World) -> None:
    judge = PairJudge(world.columns, world.reference, panes=PANES)

    news = judged(judge, world.panes(correlated(np.random.default_rng(3), 4000, 0.8)))
    fired = [pane for pane, alert in news if alert.state == "firing"]

    assert [pane - fired[0] for pane in fired] == [0, 1, 2, 4, 8, 16, 32]
    assert len({alert.since_at for _, alert in news if alert.state == "firing"}) == 1


def test_a_drift_that_comes_and_goes_needs_longer_and_longer_to_resolve(world: World) -> None:
    rng = np.random.default_rng(4)
    judge = PairJudge(world.columns, world.reference, panes=PANES)
    panes_to_resolve: list[int] = []
    for _ in range(6):
        assert "firing" in states(judged(judge, world.panes(correlated(rng, 800, 0.7))))
        quiet = 0
        while True:
            quiet += 1
            if "resolved" in states(judged(judge, world.panes(correlated(rng, 100)))):
                break
        panes_to_resolve.append(quiet)

    assert panes_to_resolve[0] <= 8
    assert panes_to_resolve[-1] >= 60


def test_columns_that_move_by_themselves_are_no_joint_drift(columns_of: ColumnsOf) -> None:
    rng = np.random.default_rng(5)
    world = World(columns_of, correlated(rng, 10_000, 0.6))
    judge = PairJudge(world.columns, world.reference, panes=PANES)
    moved = correlated(rng, 10_000, 0.6)
    moved[0] += 1.0
    moved[2] += 1.0

    news = judged(judge, world.panes(moved))

    assert news == []


def test_without_drift_nothing_fires(columns_of: ColumnsOf) -> None:
    for seed in range(3):
        rng = np.random.default_rng([6, seed])
        rows = np.stack(
            [rng.standard_normal(32_000), np.where(rng.random(32_000) < 0.6, 0, rng.exponential(size=32_000))]
        )
        rows = np.repeat(np.concatenate([rows, correlated(rng, 32_000, 0.4, 6)])[:, ::4], 4, axis=1)
        world = World(columns_of, rows[:, :2000])
        judge = PairJudge(world.columns, world.reference, panes=PANES)

        assert judged(judge, world.panes(rows[:, 2000:])) == []
        assert judge.margins.max() < -5


def test_a_shift_below_the_tolerance_stays_pending(columns_of: ColumnsOf) -> None:
    rng = np.random.default_rng(7)
    world = World(columns_of, correlated(rng, 100_000, columns=3))
    judge = PairJudge(world.columns, world.reference, panes=PANES, tolerance=0.09)

    pending = judged(judge, world.panes(correlated(rng, 15_000, 0.2, 3), 500))
    after = judged(judge, world.panes(correlated(rng, 30_000, 0.0, 3), 500), 30)

    assert states(pending) == ["pending"]
    assert states(after) == ["inactive"]


def test_a_pending_shift_that_grows_fires_and_keeps_its_beginning(columns_of: ColumnsOf) -> None:
    rng = np.random.default_rng(8)
    world = World(columns_of, correlated(rng, 100_000, columns=3))
    judge = PairJudge(world.columns, world.reference, panes=PANES, tolerance=0.09)

    pending = judged(judge, world.panes(correlated(rng, 15_000, 0.2, 3), 500))
    firing = judged(judge, world.panes(correlated(rng, 2000, 0.8, 3), 500), 30)

    assert states(firing) == ["firing"]
    assert firing[0][1].since_at == pending[0][1].since_at


def test_columns_that_come_to_move_as_one_are_one_alert(columns_of: ColumnsOf) -> None:
    rng = np.random.default_rng(9)
    world = World(columns_of, rng.standard_normal((16, 5000)))
    judge = PairJudge(world.columns, world.reference, panes=PANES)
    rows = rng.standard_normal((16, 3000))
    rows[1:] = 0.8 * rows[0] + 0.6 * rows[1:]

    news = judged(judge, world.panes(rows))

    assert {alert.key for _, alert in news} == {"drift///joint"}
    assert len(news[-1][1].causes) == 5
    assert " more no longer depend on one another as in the reference; x" in news[-1][1].summary


def test_importance_decides_which_pairs_are_watched(world: World) -> None:
    rows = correlated(np.random.default_rng(10), 3000, 0.9)
    judge = PairJudge(world.columns, world.reference, panes=PANES, importance={"x0": 0.0, "x2": 3.0})

    news = judged(judge, world.panes(rows))

    assert news == []
    assert np.isneginf(judge.margins[:7]).all()
    assert np.isfinite(judge.margins[7:]).all()


def test_a_negative_importance_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="importance must not be negative"):
        PairJudge(world.columns, world.reference, panes=PANES, importance={"x0": -1.0})


def test_pairs_that_the_reference_hardly_saw_are_not_watched(columns_of: ColumnsOf) -> None:
    rows = correlated(np.random.default_rng(11), 1000, columns=3)
    rows[2, 100:] = np.nan
    world = World(columns_of, rows)

    judge = PairJudge(world.columns, world.reference, panes=PANES)

    assert np.isfinite(judge.margins).tolist() == [True, False, False]


def test_an_empty_pane_is_no_pane(world: World) -> None:
    judge = PairJudge(world.columns, world.reference, panes=PANES)
    before = judge.margins.copy()
    nothing = np.zeros(28, np.float32)

    news = judge.update(PairCounts(nothing, nothing, np.zeros((2, 8), np.float32), 0), 10.0)

    assert news == []
    assert (judge.margins == before).all()


def test_workers_that_add_their_counts_equal_one(world: World) -> None:
    rows = correlated(np.random.default_rng(12), 2000, 0.5)
    one = PairJudge(world.columns, world.reference, panes=PANES)
    many = PairJudge(world.columns, world.reference, panes=PANES)

    whole = judged(one, world.panes(rows, 200))
    halves = list(world.panes(rows, 100))
    summed = judged(many, (first + second for first, second in zip(halves[::2], halves[1::2], strict=True)))

    assert [alert for _, alert in summed] == [alert for _, alert in whole]
    assert whole != []
