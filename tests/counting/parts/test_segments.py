"""Rows and exchanges by segment, as one process counts them or several do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from numpy.typing import NDArray

from dashlight.counting.endpoint import EndpointBrief, EndpointCounter
from dashlight.counting.exchanges.kinds import model_of_failed
from dashlight.counting.kept_rows import LearningRoom
from dashlight.counting.memory import counter_bytes, segment_bytes
from dashlight.counting.model import ModelBrief, ModelPane, merged_models
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.decode.signals import SIGNALS, prediction_of
from dashlight.judge.columns.segmentation import segmentation_of
from dashlight.records import Exchange, Prediction, Table
from dashlight.store.learned import LearnedReferences
from dashlight.window.columns import Reference
from dashlight.window.disclosure import with_shown
from dashlight.window.histogram import LATENCY
from dashlight.window.layout import BINS
from dashlight.window.parts.sampled_rows import FAILED, REFUSED
from dashlight.window.parts.segments import NO_SEGMENT, SegmentPane, merged_segments
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import Column, table_of_columns

CITIES = ["Bonn", "Kiel", "Ulm"]
KEY = ("risk", "3")


def rows_of(rng: np.random.Generator, count: int) -> dict[str, Column]:
    return {
        "age": rng.normal(40, 10, count),
        "income": rng.gamma(4.0, 500.0, count),
        "city": [CITIES[place] for place in rng.integers(0, 3, count)],
        "score": rng.random(count),
    }


def built(seed: int = 1) -> Reference:
    rng = np.random.default_rng(seed)
    made = build_reference_from_columns(rows_of(rng, 2000), {"score": "output"}, rng=rng, created_at=float(seed))
    return with_shown(made, ["city"])


REFERENCE, OTHER = built(), built(2)


def table(held: Mapping[str, Column], exchange: Sequence[int] | NDArray[np.intp]) -> Table:
    return replace(table_of_columns(held), exchange=np.asarray(exchange, np.intp))


class Process:
    """One process that counts the rows of one model."""

    def __init__(
        self,
        *,
        segments: Sequence[str] = ("city", "age"),
        reference: Reference | None = REFERENCE,
        room: LearningRoom | None = None,
        policy: Policy | None = None,
    ) -> None:
        self.learned = LearnedReferences(None)
        policy = policy or Policy(segments=tuple(segments), model="risk", model_version="3")
        self.room = room or LearningRoom()
        self.counter = EndpointCounter("/predict", policy, References(self.learned, reference), self.room)

    def serve(
        self, held: Mapping[str, Column], exchanges: Sequence[Exchange], of_exchange: Sequence[int] | None = None
    ) -> Process:
        """Rows of features and outputs, one an exchange where nothing else is said."""
        places = list(range(len(exchanges))) if of_exchange is None else list(of_exchange)
        features = table({name: cells for name, cells in held.items() if name != "score"}, places)
        outputs = table({"score": held["score"]}, places)
        self.counter.add(Prediction("/predict", *KEY, "plain", features, outputs), exchanges)
        return self

    def fail(
        self, held: Mapping[str, Column], exchanges: Sequence[Exchange], outcome: int, model: tuple[str, str] = KEY
    ) -> Process:
        """Rows of features of exchanges that came to nothing."""
        features = table({name: cells for name, cells in held.items() if name != "score"}, range(len(exchanges)))
        nothing = table({}, ())
        outcomes = np.full(len(exchanges), outcome, np.uint8)
        self.counter.add_failed(Prediction("/predict", *model, "plain", features, nothing), exchanges, outcomes)
        return self

    def close(self) -> ModelPane:
        return self.counter.close(10.0).models[KEY]

    def segments(self) -> SegmentPane:
        pane = self.close().segments
        assert pane is not None
        return pane


@pytest.fixture
def several(exchange: Callable[..., Exchange]) -> Callable[[int], list[Exchange]]:
    return lambda count: [exchange() for _ in range(count)]


Several = Callable[[int], list[Exchange]]


def names_of(reference: Reference = REFERENCE, segments: Sequence[str] = ("city", "age")) -> list[str]:
    return list(segmentation_of(reference, segments).names)


def by_name(tally: NDArray[np.int64]) -> dict[str, int]:
    return {name: int(count) for name, count in zip(names_of(), tally.tolist(), strict=True) if count}


def test_rows_of_each_value_are_counted_apart(several: Several) -> None:
    held: dict[str, Column] = {
        "age": np.array([20.0, 60.0, 40.0]),
        "income": np.array([1000.0, 2000.0, np.nan]),
        "city": ["Kiel", "Kiel", "Ulm"],
        "score": np.array([0.1, 0.2, 0.3]),
    }
    process = Process().serve(held, several(3))

    pane = process.close()

    assert pane.segments is not None
    assert by_name(pane.segments.exchanges) == {
        "city=Kiel": 2,
        "city=Ulm": 1,
        names_of()[4]: 1,
        names_of()[-1]: 1,
        next(name for name in names_of()[5:] if _holds(name, 40.0)): 1,
    }
    kiel = pane.segments.rows[names_of().index("city=Kiel")]
    assert kiel.sum(axis=1).tolist() == [2, 2, 2, 2]
    income = [column.name for column in REFERENCE.columns].index("income")
    assert pane.segments.rows[names_of().index("city=Ulm"), income, 0] == 1


def _holds(name: str, age: float) -> bool:
    low, _, high = name.removeprefix("age=").partition(" to ")
    return bool(high) and float(low) <= age < float(high)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    batches=st.lists(st.integers(1, 90), min_size=1, max_size=4),
    asked=st.sampled_from(["rows", "batches"]),
    hurts=st.sampled_from(["null", "wrong", "new", "none"]),
)
def test_segments_and_rows_in_none_add_up_to_the_whole(seed: int, batches: list[int], asked: str, hurts: str) -> None:
    rng = np.random.default_rng(seed)
    process = Process()
    in_none = np.zeros((2, len(REFERENCE.columns), BINS), np.int64)
    odd = {"null": None, "wrong": ["x"], "new": "Rome", "none": "Ulm"}[hurts]
    for count in batches:
        held = rows_of(rng, count)
        held["city"] = [odd if rng.random() < 0.2 else city for city in held["city"]]
        held["age"] = np.where(rng.random(count) < 0.2, np.nan, np.asarray(held["age"]))
        of_exchange = np.sort(rng.integers(0, 5, count)) if asked == "batches" else np.arange(count)
        process.serve(held, _numbered(max(count, 5)), of_exchange.tolist())
    pane = process.close()

    assert pane.segments is not None
    rows, whole = pane.segments.rows, pane.compared[0].counts
    segmentation = segmentation_of(REFERENCE, ["city", "age"])
    for at, column in enumerate(segmentation.columns):
        in_none[at] = whole - rows[column.first : column.first + len(column.values)].sum(axis=0)
        own = [each.name for each in REFERENCE.columns].index(column.name)
        no_segment = np.flatnonzero(column.groups == NO_SEGMENT)
        assert in_none[at].sum(axis=1).tolist() == [whole[own, no_segment].sum()] * len(whole)
        assert (in_none[at] >= 0).all()


def _numbered(count: int) -> list[Exchange]:
    return [_exchange(number) for number in range(1, count + 1)]


def _exchange(number: int, *, seconds: float = 0.1) -> Exchange:
    return Exchange(
        id=number, route="/predict", method="POST", path="/predict", query=b"", scheme="http", server=None,
        http_version="1.1", request_headers=(), response_headers=(), status=200, error="", outcome="ok",
        started_at=1_700_000_000.0 + number, first_byte_seconds=None, duration_seconds=seconds, request_bytes=1,
        response_bytes=1, request_chunks=(), response_chunks=(), trace_id=number, span_id=1, trace_flags=1, own_span=None,
    )  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), workers=st.integers(2, 5))
def test_several_workers_count_as_one(seed: int, workers: int) -> None:
    rng = np.random.default_rng(seed)
    alone, team = Process(), [Process() for _ in range(workers)]
    for _ in range(6):
        count = int(rng.integers(1, 60))
        held, bad = rows_of(rng, count), rows_of(rng, 3)
        for process in (alone, team[int(rng.integers(0, workers))]):
            process.serve(held, _numbered(count)).fail(bad, _numbered(3), FAILED).fail(bad, _numbered(3), REFUSED)
    panes = [pane for each in team if (pane := each.counter.close(10.0).models.get(KEY)) is not None]

    merged, whole = merged_models(panes).segments, alone.segments()

    assert merged is not None
    for name in ("rows", "durations", "exchanges", "failed", "refused"):
        assert np.array_equal(getattr(merged, name), getattr(whole, name)), name


def test_an_exchange_is_in_a_segment_where_all_its_rows_are(several: Several) -> None:
    rng = np.random.default_rng(0)
    held = rows_of(rng, 5) | {"city": ["Kiel", "Kiel", "Kiel", "Ulm", None], "age": [None] * 5}

    pane = Process().serve(held, several(3), [0, 0, 1, 1, 2]).segments()

    assert by_name(pane.exchanges) == {"city=Kiel": 1}
    assert by_name(pane.rows[:, 0, :].sum(axis=1)) == {"city=Kiel": 3, "city=Ulm": 1}


def test_rows_of_an_exchange_that_lie_apart_are_one_exchange(several: Several) -> None:
    rng = np.random.default_rng(0)
    held = rows_of(rng, 4) | {"city": ["Kiel", "Ulm", "Kiel", "Ulm"], "age": [None] * 4}

    pane = Process().serve(held, several(2), [1, 0, 1, 0]).segments()

    assert by_name(pane.exchanges) == {"city=Kiel": 1, "city=Ulm": 1}


def test_outputs_that_are_no_rows_of_the_features_are_in_the_segment_of_their_exchange(several: Several) -> None:
    process = Process(segments=["city"])
    process.serve(rows_of(np.random.default_rng(0), 4), several(4))
    process.close()
    features = table(
        {"city": ["Kiel", "Kiel", "Ulm", "Kiel"], "age": [40.0, 41, 42, 43], "income": [1.0] * 4}, [0, 0, 1, 1]
    )
    outputs = table({"score": np.array([0.1, 0.2, 0.3])}, [0, 1, 2])

    process.counter.add(Prediction("/predict", *KEY, "plain", features, outputs), several(3))
    pane = process.segments()

    score = [column.name for column in REFERENCE.columns].index("score")
    counted = pane.rows[:, score, :].sum(axis=1)
    assert counted[names_of().index("city=Kiel")] == 1
    assert counted.sum() == 1


def test_failures_refusals_and_durations_are_those_of_the_segment(exchange: Callable[..., Exchange]) -> None:
    rng = np.random.default_rng(0)
    kiel, ulm = ({**rows_of(rng, 4), "city": [city] * 4, "age": [None] * 4} for city in ("Kiel", "Ulm"))
    slow, quick = [exchange(seconds=9.0) for _ in range(4)], [exchange(seconds=0.01) for _ in range(4)]

    process = Process().serve(kiel, slow).serve(ulm, quick)
    process.fail(kiel, quick, FAILED).fail(ulm, quick, REFUSED).fail(ulm, quick, REFUSED)
    pane = process.segments()

    assert by_name(pane.exchanges) == {"city=Kiel": 8, "city=Ulm": 12}
    assert by_name(pane.failed) == {"city=Kiel": 4}
    assert by_name(pane.refused) == {"city=Ulm": 8}
    assert by_name(pane.durations.sum(axis=1)) == {"city=Kiel": 4, "city=Ulm": 4}
    bins = {name: int(np.flatnonzero(pane.durations[names_of().index(name)])[0]) for name in ("city=Kiel", "city=Ulm")}
    assert LATENCY.edge(bins["city=Kiel"] - 1) <= 9.0 < LATENCY.edge(bins["city=Kiel"])
    assert LATENCY.edge(bins["city=Ulm"] - 1) <= 0.01 < LATENCY.edge(bins["city=Ulm"])


def test_rows_that_came_to_nothing_are_no_rows_of_the_model(several: Several) -> None:
    held = rows_of(np.random.default_rng(0), 4)
    process = Process().serve(held, several(4)).fail(held, several(4), FAILED)

    pane = process.close()

    assert pane.segments is not None
    assert pane.compared[0].counts.sum(axis=1).tolist() == [4] * 4
    assert pane.segments.rows[:3].sum(axis=(0, 2)).tolist() == [4] * 4
    assert pane.row_count == 4


def test_a_pane_in_which_all_failed_is_told(several: Several) -> None:
    held = rows_of(np.random.default_rng(0), 4)
    process = Process().serve(held, several(4))
    process.close()

    pane = process.fail(held, several(4), FAILED).segments()

    assert pane.failed[:3].sum() == 4
    assert not pane.rows.any()


def test_rows_that_repeat_do_not_count_in_segments_either(several: Several) -> None:
    rng = np.random.default_rng(0)
    process = Process()
    for _ in range(40):
        held = rows_of(rng, 10)
        same = {name: [next(iter(cells))] * 10 for name, cells in rows_of(np.random.default_rng(9), 1).items()}
        process.serve(held, several(10)).serve(same, several(10))

    pane = process.close()

    assert pane.segments is not None
    assert pane.compared[0].repeated is not None
    assert pane.segments.rows[:4, 0].sum() == pane.compared[0].counts[0].sum() < 800


def test_without_the_setting_nothing_is_counted_by_segment(several: Several) -> None:
    process = Process(segments=()).serve(rows_of(np.random.default_rng(0), 4), several(4))

    assert process.close().segments is None


def test_a_pane_begins_empty(several: Several) -> None:
    process = Process().serve(rows_of(np.random.default_rng(0), 4), several(4))
    first = process.segments()

    second = process.serve(rows_of(np.random.default_rng(1), 1), several(1)).segments()

    assert first.exchanges[:3].sum() == 4
    assert second.exchanges[:3].sum() == 1
    assert second.rows[:3, 0].sum() == 1


def test_business_numbers_have_no_segments(several: Several) -> None:
    rng = np.random.default_rng(0)
    learned = LearnedReferences(None)
    held: dict[str, Column] = {"revenue": rng.normal(40, 10, 500)}
    learned.keep(
        build_reference_from_columns(held, {"revenue": "feature"}, rng=rng, created_at=0.0), SIGNALS, "revenue", ""
    )
    policy = Policy(segments=("city", "revenue"))
    counter = EndpointCounter(SIGNALS, policy, References(learned), LearningRoom())

    counter.add(prediction_of("revenue", [1.0, 2.0]), several(2))

    pane = counter.close(10.0).models["revenue", ""]
    assert len(pane.compared) == 1
    assert (pane.segments, pane.matched) == (None, "")


def test_names_that_no_feature_has_are_told_once(several: Several) -> None:
    process = Process(segments=["city", "carrier"])
    held = rows_of(np.random.default_rng(0), 4)

    first, second = (process.serve(held, several(4)).close() for _ in range(2))

    assert "DASHLIGHT_SEGMENTS: no feature of the reference whose values can be segments: carrier" in first.matched
    assert second.matched == ""
    assert first.segments is not None


def test_where_memory_is_short_segments_are_left_out_first(several: Several) -> None:
    segmentation = segmentation_of(REFERENCE, ["city", "age"])
    enough = counter_bytes(REFERENCE) + segment_bytes(segmentation, REFERENCE)
    held = rows_of(np.random.default_rng(0), 4)

    short, wide = (
        Process(room=LearningRoom(models_bytes=most)).serve(held, several(4)).close() for most in (enough - 1, enough)
    )

    assert short.segments is None
    assert short.matched == "DASHLIGHT_SEGMENTS: no memory to count segments (DASHLIGHT_MEMORY)"
    assert short.compared[0].counts[0].sum() == 4
    assert wide.segments is not None
    assert wide.matched == ""


def test_segments_follow_a_reference_that_is_replaced(several: Several) -> None:
    process = Process()
    held = rows_of(np.random.default_rng(0), 4)
    process.serve(held, several(4))
    before = process.segments()
    process.learned.keep(OTHER, "/predict", *KEY)

    process.counter.follow(EndpointBrief(models={KEY: ModelBrief((OTHER.version,))}))
    after = process.serve(held, several(4)).segments()

    assert (before.reference, after.reference) == (REFERENCE.version, OTHER.version)
    assert merged_segments([before, after]).reference == OTHER.version
    assert after.exchanges[: len(segmentation_of(OTHER, ["city"]).names)].sum() == 4


def test_segments_begin_when_a_reference_has_been_learned(several: Several) -> None:
    process = Process(reference=None)
    held = rows_of(np.random.default_rng(0), 4)
    learning = process.serve(held, several(4)).fail(held, several(4), FAILED).counter.close(10.0)
    process.learned.keep(REFERENCE, "/predict", *KEY)

    process.counter.follow(EndpointBrief(models={KEY: ModelBrief((REFERENCE.version,))}))
    after = process.serve(held, several(4)).segments()

    assert learning.models[KEY].segments is None
    assert learning.unplaced == 4
    assert after.exchanges[:3].sum() == 4


@pytest.mark.parametrize(
    ("said", "known", "expected"),
    [
        (("risk", "3"), [("risk", "3"), ("risk", "4")], ("risk", "3")),
        (("usual", "1"), [("risk", "3")], ("risk", "3")),
        (("", ""), [("risk", "3")], ("risk", "3")),
        (("risk", "1"), [("risk", "3"), ("other", "3")], ("risk", "3")),
        (("risk", "1"), [("risk", "3"), ("risk", "4")], None),
        (("other", "1"), [("risk", "3")], None),
        (("usual", "2"), [("risk", "3")], None),
        (("usual", "1"), [], None),
    ],
    ids=["said", "the only one", "unsaid", "by name", "two versions", "another", "another version", "none yet"],
)
def test_a_failed_exchange_is_of_the_model_that_its_path_says_or_of_the_only_one(
    said: tuple[str, str], known: list[tuple[str, str]], expected: tuple[str, str] | None
) -> None:
    assert model_of_failed(said, known, ("usual", "1")) == expected


def test_what_nobody_can_place_is_counted(several: Several) -> None:
    process = Process().serve(rows_of(np.random.default_rng(0), 4), several(4))
    process.fail(rows_of(np.random.default_rng(0), 2), several(2), FAILED, ("other", "9"))
    process.fail({"unheard of": [1.0, 2.0, 3.0]}, several(3), REFUSED)
    process.counter.add_unread()

    pane = process.counter.close(10.0)

    assert pane.unplaced == 6
    assert process.counter.close(20.0).unplaced == 0
    segments = pane.models[KEY].segments
    assert segments is not None
    assert segments.failed.sum() == segments.refused.sum() == 0


def test_failures_of_probes_are_in_no_segment(exchange: Callable[..., Exchange]) -> None:
    held = rows_of(np.random.default_rng(0), 4)
    process = Process().serve(held, [exchange() for _ in range(4)])
    probes = [structs.replace(exchange(), request_headers=((b"user-agent", b"kube-probe/1.30"),)) for _ in range(4)]

    process.fail(held, probes, FAILED)
    pane = process.counter.close(10.0)

    assert pane.unplaced == 0
    segments = pane.models[KEY].segments
    assert segments is not None
    assert segments.failed.sum() == 0
