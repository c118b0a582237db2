"""All models with versions: from the exchanges of several processes to reports, decisions and a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.counting.endpoint import EndpointPane
from dashlight.counting.machine import OTHER_ENDPOINTS, MachineCounter, MachinePane, ProcessStatus, merged
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.counting.versions.counts import VersionCounts
from dashlight.judge.versions.report import decide
from dashlight.records import Exchange, Prediction
from dashlight.store.learned import LearnedReferences
from dashlight.watching.machine import MachineWatch
from dashlight.watching.versions.side_by_side import MOST_GROUPS, MOST_PAIRS, PAIR_BYTES, SideBySide
from dashlight.window.histogram import LATENCY
from dashlight.window.outcomes import OutcomeCounter
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.steps import finished
from dashlight.window.tables import table_of_columns
from dashlight.workers.checkpoints import Checkpoint, CheckpointLayout

Exchanges = Callable[..., Exchange]
ROUTE, PATH = "/v2/models/{model}/versions/{version}/infer", "/v2/models/m/versions/{}/infer"
POLICY = Policy()
NO_REFERENCES = References(LearnedReferences(None), None)


def counted(asked: int, failed: int = 0) -> VersionCounts:
    return VersionCounts(asked, failed, 0, np.zeros(LATENCY.bins, np.int64))


def pane_of(versions: Mapping[tuple[str, str], VersionCounts], route: str = "/p") -> MachinePane:
    return MachinePane({route: EndpointPane(OutcomeCounter().close(0.0), {}, {}, versions=versions)}, {})


def served(exchange: Exchange, version: str, *, fails: bool, number: int) -> Exchange:
    status = (503, "error") if fails else (200, "ok")
    return msgspec.structs.replace(
        exchange, id=number, route=ROUTE, path=PATH.format(version), status=status[0], outcome=status[1]
    )


def panes(exchange: Exchange, rng: np.random.Generator, *, rates: Mapping[str, float], processes: int) -> MachinePane:
    """What several processes counted of a pane."""
    exchanges = [
        served(exchange, version, fails=bool(rng.random() < rate), number=100 * place + number)
        for place, (version, rate) in enumerate(rates.items())
        for number in range(60)
    ]
    found: list[MachinePane] = []
    for process in range(processes):
        counter = MachineCounter(str(process), Policy(), NO_REFERENCES)
        counter.endpoint(ROUTE, "provisional").count(exchanges[process::processes], {})
        found.append(counter.close(10.0, ProcessStatus(0, 1.0), {}))
    return merged(found)


def test_a_canary_that_fails_more_is_found_from_what_all_processes_counted(exchange: Exchanges) -> None:
    words: list[tuple[str, float, str]] = []
    for processes in (1, 3):
        rng = np.random.default_rng(1)
        watch = MachineWatch(Policy(), NO_REFERENCES, at=0.0)
        for number in range(1, 31):
            rates = {"1": 0.02} if number == 1 else {"1": 0.02, "2": 0.3}
            watch.close_pane(panes(exchange(), rng, rates=rates, processes=processes), 10.0 * number)
        (decided,) = watch.versions.take_decided()
        assert watch.versions.take_decided() == []
        words.append((decided.words, decided.decided_at, watch.versions.reports()[0].figures[0].words))

    assert words[0] == words[1]
    assert words[0][0] == "2 is worse than 1: its failure_rate is more than 1 % worse"


def test_what_was_compared_outlives_the_process(exchange: Exchanges) -> None:
    rng = np.random.default_rng(2)
    first = MachineWatch(Policy(), NO_REFERENCES, at=0.0)
    for number in range(1, 10):
        rates = {"1": 0.1} if number == 1 else {"1": 0.1, "2": 0.1}
        first.close_pane(panes(exchange(), rng, rates=rates, processes=1), 10.0 * number)

    blob = b"".join(CheckpointLayout().freeze(Checkpoint(first.state, {})))
    kept = CheckpointLayout().thaw(blob)
    lost: list[str] = []
    second = MachineWatch(Policy(), NO_REFERENCES, at=0.0)
    finished(second.restore(kept.state, 100.0, lose=lambda part, _: lost.append(part)))
    pane = panes(exchange(), rng, rates={"1": 0.1, "2": 0.1}, processes=1)
    for watch in (first, second):
        watch.close_pane(pane, 100.0)

    assert (kept.lost, lost) == ((), [])
    assert [each.words for each in second.versions.reports()] == [each.words for each in first.versions.reports()]
    assert second.versions.reports()[0].figures[0] == first.versions.reports()[0].figures[0]


def test_a_state_that_does_not_fit_costs_that_model_alone() -> None:
    sides = compared([{("m", "1"): counted(10)}, {("m", "1"): counted(10), ("m", "2"): counted(1)}])
    (key, state) = next(iter(sides.states.items()))
    fresh = SideBySide(lambda _: None, POLICY)
    with pytest.raises(ValueError, match="of -1"):
        fresh.restore(key, type(state)(state.records, state.pairs, -1.0))

    assert fresh.states == {}


def compared(versions: Sequence[Mapping[tuple[str, str], VersionCounts]], route: str = "/p") -> SideBySide:
    sides = SideBySide(lambda _: None, POLICY)
    for number, each in enumerate(versions, 1):
        list(sides.close_pane(pane_of(each, route), None, 10.0 * number))
    return sides


def test_failures_that_nobody_can_attribute_may_be_of_any_model_of_the_endpoint() -> None:
    sides = compared(
        [{("m", "1"): counted(100)}, {("m", "1"): counted(90), ("m", "2"): counted(9), ("", ""): counted(9, 9)}]
    )

    (report,) = sides.reports()
    assert "not attributable" in report.words
    assert report.rows["unknown"] == 9


def test_versions_of_different_models_are_not_compared() -> None:
    assert compared([{("m", "1"): counted(100), ("n", "2"): counted(90)}]).reports() == []


def test_what_stands_for_several_endpoints_is_not_compared() -> None:
    versions = [{("m", "1"): counted(100)}, {("m", "1"): counted(90), ("m", "2"): counted(9)}]

    assert compared(versions, OTHER_ENDPOINTS).reports() == []


def test_models_and_pairs_have_so_many_places_and_no_more() -> None:
    first = {(f"m{number}", "1"): counted(10) for number in range(100)}
    second = {(f"m{number}", version): counted(10) for number in range(100) for version in "12"}

    sides = compared([first, second])

    assert len(sides.states) == MOST_GROUPS
    assert len(sides.reports()) == MOST_PAIRS


def test_a_model_that_was_not_asked_for_an_hour_makes_room() -> None:
    sides = compared([{(f"m{number}", "1"): counted(10) for number in range(MOST_GROUPS)}])

    list(sides.close_pane(pane_of({("new", "1"): counted(1)}), None, 20.0))
    refused = ("/p", "new") in sides.states
    list(sides.close_pane(pane_of({("new", "1"): counted(1)}), None, 4000.0))

    assert not refused
    assert ("/p", "new") in sides.states


@pytest.mark.parametrize("name", ["2\n\x00\x1b[31m", "v" * 10_000], ids=["control characters", "10 kB"])
def test_a_hostile_name_of_a_version_stays_on_one_short_line(name: str) -> None:
    sides = compared([{("m", "1"): counted(100)}, *[{("m", "1"): counted(100), ("m", name): counted(100, 90)}] * 20])

    (report,) = sides.take_decided()
    assert decide(report) == "worse"
    assert report.words.isprintable()
    assert len(report.words) < 200


def test_the_memory_that_there_is_says_how_many_pairs_there_are() -> None:
    sides = SideBySide(lambda _: None, replace(POLICY, judging_bytes=32 * 3 * PAIR_BYTES))
    versions = [{(f"m{number}", "1"): counted(10) for number in range(9)}]
    versions += [{(f"m{number}", version): counted(10) for number in range(9) for version in "12"}]

    for number, each in enumerate(versions, 1):
        list(sides.close_pane(pane_of(each), None, 10.0 * number))

    assert len(sides.reports()) == 3


def test_a_pair_with_labels_takes_no_more_than_is_reckoned_with() -> None:
    sides = compared([{("m", "1"): counted(100)}, {("m", "1"): counted(100), ("m", "2"): counted(9)}])
    (state,) = sides.states.values()
    (bets,) = {sum(array.nbytes for array in (each.capital, each.peak)) for each in state.pairs[0].bets.values()}

    # Failures, refusals, and what labels of two classes say.
    assert 7 * bets + 20_000 < PAIR_BYTES


def predicted(version: str, scores: NDArray[np.float64]) -> Prediction:
    rows = len(scores)
    age, score = (
        replace(table_of_columns({name: values}), exchange=np.arange(rows))
        for name, values in (("age", np.linspace(20.0, 60.0, rows)), ("score", scores))
    )
    return Prediction(ROUTE, "m", version, "plain", age, score)


def test_outputs_are_compared_over_the_bins_of_a_common_reference(exchange: Exchanges) -> None:
    rng = np.random.default_rng(5)
    reference = build_reference_from_columns(
        {"age": rng.uniform(20.0, 60.0, 3000), "score": rng.random(3000)}, {"score": "output"}, rng=rng, created_at=0.0
    )
    references = References(LearnedReferences(None), reference)
    watch = MachineWatch(POLICY, references, at=0.0)
    counter = MachineCounter("1", POLICY, references)
    for pane in range(1, 21):
        for place, version in enumerate(["1"] if pane == 1 else ["1", "2"]):
            exchanges = [
                served(exchange(), version, fails=False, number=1000 * pane + 100 * place + number)
                for number in range(60)
            ]
            scores = rng.random(60) * (0.5 if version == "2" else 1.0)
            counter.endpoint(ROUTE).add(predicted(version, scores), exchanges)
            counter.endpoint(ROUTE).count(exchanges, {}, {}, {each.id: ("m", version) for each in exchanges})
        watch.close_pane(counter.close(10.0 * pane, ProcessStatus(0, 1.0), {}), 10.0 * pane)

    figures = {each.name: each for each in watch.versions.reports()[0].figures}
    apart = figures["output_distance[score]"]
    assert apart.difference == pytest.approx(0.5, abs=0.06)
    assert 0.2 < apart.low < 0.5 < apart.high
    assert "does not decide" in apart.words
