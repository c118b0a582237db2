"""What no process can have counted is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import is_dataclass, replace
from typing import Any

import numpy as np
import pytest

from dashlight.counting.checks import MOST_COUNT, check_briefing, check_pane
from dashlight.counting.endpoint import EndpointBrief
from dashlight.counting.machine import Briefing, MachineCounter, MachinePane, ProcessStatus
from dashlight.counting.model import ModelBrief
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.counting.versions.counts import MOST_VERSIONS
from dashlight.judge.directions.bets import undirected
from dashlight.judge.traffic.events import Slow
from dashlight.metrics.generations import GenerationKey
from dashlight.metrics.losses import INBOX_FULL
from dashlight.records import Exchange, GenerationFacts, Prediction
from dashlight.store.learned import LearnedReferences
from dashlight.window.columns import Reference
from dashlight.window.histogram import LATENCY
from dashlight.window.recent.pane import UnknownInPane
from dashlight.window.tables import Column

Exchanges = Callable[..., Exchange]
Predictions = Callable[..., Prediction]
Columns = Callable[..., dict[str, Column]]
Change = Callable[[Any], Any]

OUTCOMES = ("endpoints", "/a", "outcomes")
GENERATION: GenerationKey = ("chat", "openai_chat", "m", "m", "")
GENERATIONS = ("endpoints", "/a", "generations")
FACTS = GenerationFacts("chat", "openai_chat", "m", "m", "", {}, 1, 1, (), (), 0, 0, is_streamed=False)
MODEL = ("endpoints", "/a", "models", ("risk", "3"))
ROWS = (*MODEL, "compared", 0)
RECENT = (*ROWS, "recent")
SIDE = (*RECENT, "sides", "feature")
ALONG = (*ROWS, "joint", "directions", "")
PAIRS = (*ROWS, "joint", "pairs")
EXEMPLARS = (*ROWS, "exemplars", 0)
SEGMENTS = (*MODEL, "segments")
VERSIONS = ("endpoints", "/a", "versions")
VERSION = (*VERSIONS, ("", ""))


@pytest.fixture(scope="module")
def pane(exchange: Exchanges, prediction: Predictions, columns: Columns, reference: Reference) -> MachinePane:
    """Of everything something."""
    rng = np.random.default_rng(1)
    policy = Policy(reference_rows=1000, segments=("city",))
    judged = MachineCounter("a", policy, References(LearnedReferences(None), reference))
    learned = MachineCounter("b", policy, References(LearnedReferences(None)))
    panes: list[MachinePane] = []
    for counter in (judged, learned):
        made = prediction(columns(rng, 20) | {"unheard of": rng.normal(0, 1, 20)})
        counter.endpoint("/a").add(made, [exchange(500, "error") for _ in range(20)])
        counter.endpoint("/a").count([exchange(500, "error") for _ in range(20)], {})
        counter.endpoint("/a").add_generation(FACTS, exchange(200, "ok"), "")
        panes.append(counter.close(10.0, ProcessStatus(1, 0.5), {INBOX_FULL: 1}))
    both = panes[0].endpoints["/a"].models["risk", "3"]
    rows = panes[1].endpoints["/a"].models["risk", "3"].rows
    found: MachinePane = with_changed(panes[0], MODEL, lambda _: replace(both, rows=rows))
    return found


def with_changed(value: Any, path: tuple[Any, ...], change: Change) -> Any:
    """*value* with something else where *path* leads."""
    if not path:
        return change(value)
    name, *rest = path
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{name: with_changed(getattr(value, name), tuple(rest), change)})
    if isinstance(value, Mapping):
        return {**value, name: with_changed(value[name], tuple(rest), change)}
    return (*value[:name], with_changed(value[name], tuple(rest), change), *value[name + 1 :])


def longer(array: Any) -> Any:
    return np.concatenate([array, array])


def negated(array: Any) -> Any:
    return array - 1


def crowded(generations: Any) -> Any:
    (times,) = generations.values()
    return {("chat", "openai_chat", str(number), "", ""): times for number in range(50)}


def thronged(versions: Any) -> Any:
    (counts,) = versions.values()
    return {("m", str(number)): counts for number in range(2 * MOST_VERSIONS + 1)}


def flat(array: Any) -> Any:
    return array.ravel()


def with_first(item: float) -> Change:
    def change(array: Any) -> Any:
        found = array.copy()
        found.flat[0] = item
        return found

    return change


def to(value: object) -> Change:
    return lambda _: value


def test_what_a_process_counted_is_right(pane: MachinePane) -> None:
    check_pane(pane)
    check_pane(MachinePane({}, {}))
    check_pane(with_changed(pane, RECENT, to(None)))
    check_pane(with_changed(pane, PAIRS, to(None)))


@pytest.mark.parametrize(
    ("path", "change", "sentence"),
    [
        (("counts", INBOX_FULL), to(-1), "a count of -1"),
        (("counts", INBOX_FULL), to(MOST_COUNT + 1), "a count of 281474976710657"),
        (("statuses", "a", "in_flight_count"), to(-1), "a count of -1"),
        (("statuses", "a", "rate"), to(float("nan")), "a process status without numbers"),
        (("statuses", "a", "ended_at"), to(float("inf")), "a process status without numbers"),
        (("endpoints", "/a", "unwatched_rows"), to(-1), "a count of -1"),
        (("endpoints", "/a", "unplaced"), to(-1), "a count of -1"),
        ((*SEGMENTS, "reference"), to("another"), "segments of a reference with which nothing is compared"),
        ((*SEGMENTS, "columns"), to(10**4), "counts of segments in arrays of shapes"),
        ((*SEGMENTS, "failed"), negated, "counts of 4 segments that are none"),
        ((*SEGMENTS, "row_bits"), longer, "counts of segments in arrays of shapes"),
        ((*OUTCOMES, "rows"), to(-1), "a count of -1"),
        ((*OUTCOMES, "outcomes", "ok"), to(-1), "a count of -1"),
        ((*GENERATIONS, GENERATION, "durations"), longer, "an array of shape"),
        ((*GENERATIONS, GENERATION, "per_token"), negated, "a count below zero"),
        (GENERATIONS, crowded, "50 kinds of generations: expected 49"),
        ((*VERSION, "asked"), to(-1), "a count of -1"),
        ((*VERSION, "refused"), to(21), "more that failed or was refused than was asked"),
        ((*VERSION, "durations"), longer, "an array of shape"),
        ((*VERSION, "durations"), negated, "a count below zero"),
        (VERSIONS, thronged, "more versions than are counted"),
        ((*OUTCOMES, "failures"), to({"http_500": -1}), "a count of -1"),
        ((*OUTCOMES, "undecodable"), to({"binary": -1}), "a count of -1"),
        ((*OUTCOMES, "durations"), longer, "an array of shape"),
        ((*OUTCOMES, "first_bytes"), with_first(-1), "a count below zero or above"),
        ((*OUTCOMES, "response_sizes"), with_first(2**60), "a count below zero or above"),
        ((*MODEL, "rows", 0, "rows", "feature"), to(-1), "a count of -1"),
        ((*ROWS, "counts"), flat, "an array of shape"),
        ((*ROWS, "counts"), with_first(-1), "a count below zero or above"),
        ((*ROWS, "repeated"), to(np.zeros((1, 36), np.int64)), "an array of shape"),
        ((*ROWS, "repetition", "left_out"), to(21), "repeated rows of 21"),
        ((*PAIRS, "rows"), to(-1), "a count of -1"),
        ((*PAIRS, "agreeing"), longer, "an array of shape"),
        ((*MODEL, "matched"), to("x" * 5000), "a sentence that has no end"),
        ((*PAIRS, "informative"), longer, "an array of shape"),
        ((*PAIRS, "sides"), longer, "an array of shape"),
        ((*PAIRS, "sides"), with_first(float("nan")), "a count below zero or above"),
        ((*PAIRS, "agreeing"), with_first(1000.0), "more pairs that agree than pairs"),
        ((*ALONG, "direction"), to(-1), "a count of -1"),
        ((*ALONG, "rows"), to(-1), "a count of -1"),
        ((*ALONG, "total"), lambda array: array[:, np.newaxis], "sums of rows of shape"),
        ((*ALONG, "gains"), flat, "gains of shape"),
        ((*ALONG, "scores"), longer, "sums of scores of shape"),
        ((*ALONG, "total"), with_first(float("inf")), "sums of rows from"),
        ((*ALONG, "total"), with_first(1e156), "sums of rows from"),
        ((*ALONG, "gains"), with_first(-47), "gains from -47"),
        ((*ALONG, "scores"), with_first(121), "sums of scores from"),
        ((*RECENT, "sides"), lambda sides: {"feature": sides["feature"]}, "rows of one role alone"),
        ((*RECENT, "unknown", 0), lambda _: UnknownInPane("feature", "x", 0, 0), "a column in 0 rows of 20"),
        ((*RECENT, "unknown", 0), lambda _: UnknownInPane("feature", "x", 0, 21), "a column in 21 rows of 20"),
        ((*RECENT, "unknown", 0), lambda _: UnknownInPane("feature", "x", -1, 1), "a count of -1"),
        ((*SIDE, "present"), lambda array: array[np.newaxis], "an array of shape"),
        ((*SIDE, "rows"), to(-1), "a count of -1"),
        ((*SIDE, "rows"), to(19), "20 rows kept of 19"),
        ((*SIDE, "sample", "numbers"), flat, "an array of shape"),
        ((*SIDE, "sample", "types"), longer, "an array of shape"),
        ((*SIDE, "sample", "texts"), longer, "an array of shape"),
        ((*SIDE, "sample", "types"), with_first(77), "a count below zero or above"),
        ((*SIDE, "sample", "exchanges"), longer, "an array of shape"),
        ((*SIDE, "sample", "exchanges"), with_first(-1), "a count below zero or above"),
        ((*SIDE, "keys"), longer, "an array of shape"),
        ((*SIDE, "keys"), with_first(1.5), "a count below zero or above"),
        ((*SIDE, "keys"), with_first(float("nan")), "a count below zero or above"),
        ((*EXEMPLARS, "places"), lambda array: array[:0], "an array of shape"),
        ((*EXEMPLARS, "places"), lambda array: array[::-1], "exemplars that are not in their order"),
        ((*EXEMPLARS, "places"), lambda array: array + 36 * 100, "a count below zero or above"),
        (EXEMPLARS, lambda each: replace(each, places=each.places[:0], trace_ids=each.trace_ids[:0]), "of nothing"),
    ],
    ids=lambda value: "" if callable(value) or isinstance(value, str) else ".".join(map(str, value[-2:])),
)
def test_what_no_process_can_have_counted_is_refused(
    pane: MachinePane, path: tuple[Any, ...], change: Change, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        check_pane(with_changed(pane, path, change))


SLOW = Slow("latency", "p99", 10, 0.01)
BRIEFING = Briefing({
    "/a": EndpointBrief(frozenset({"http_500"}), (SLOW,), {("risk", "3"): ModelBrief(("v1",), {"v1": {"": undirected(4)}})})
})  # fmt: skip
BRIEFED = ("endpoints", "/a", "models", ("risk", "3"))
DIRECTION = (*BRIEFED, "directions", "v1", "")


def test_what_a_judge_wants_is_right() -> None:
    check_briefing(BRIEFING)
    check_briefing(Briefing())


@pytest.mark.parametrize(
    ("path", "change", "sentence"),
    [
        (("endpoints", "/a", "slow", 0, "bin_"), to(-1), "a latency in bin -1"),
        (("endpoints", "/a", "slow", 0, "bin_"), to(LATENCY.bins), "a latency in bin"),
        ((*BRIEFED, "repeated"), to({"v1": (2**64,)}), "a hash of more than 64 bits"),
        ((*BRIEFED, "repeated"), to({"v1": tuple(range(65))}), "more payloads than are told"),
        ((*DIRECTION, "number"), to(-1), "a count of -1"),
        ((*DIRECTION, "weights"), flat, "an array of shape"),
        ((*DIRECTION, "offsets"), longer, "an array of shape"),
        ((*DIRECTION, "means"), longer, "an array of shape"),
        ((*DIRECTION, "phi"), longer, "an array of shape"),
        ((*DIRECTION, "borders"), flat, "an array of shape"),
        ((*DIRECTION, "stakes"), longer, "an array of shape"),
        ((*DIRECTION, "stakes"), with_first(float("nan")), "a sum that is no number"),
        ((*DIRECTION, "phi"), with_first(0.0), "rows that are worth nothing"),
    ],
    ids=lambda value: "" if callable(value) or isinstance(value, str) else ".".join(map(str, value[-2:])),
)
def test_what_no_judge_can_want_is_refused(path: tuple[Any, ...], change: Change, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        check_briefing(with_changed(BRIEFING, path, change))
