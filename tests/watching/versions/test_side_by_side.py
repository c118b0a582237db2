"""All models with versions: from the exchanges of several processes to reports, decisions and a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np
import pytest

from dashlight.counting.endpoint import EndpointPane
from dashlight.counting.machine import OTHER_ENDPOINTS, MachineCounter, MachinePane, ProcessStatus, merged
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.counting.versions.counts import VersionCounts
from dashlight.judge.versions.report import decide
from dashlight.records import Exchange
from dashlight.store.learned import LearnedReferences
from dashlight.watching.machine import MachineWatch
from dashlight.watching.versions.side_by_side import MOST_GROUPS, MOST_PAIRS, SideBySide
from dashlight.window.histogram import LATENCY
from dashlight.window.outcomes import OutcomeCounter
from dashlight.window.reference.steps import finished
from dashlight.workers.checkpoints import Checkpoint, CheckpointLayout

Exchanges = Callable[..., Exchange]
ROUTE, PATH = "/v2/models/{model}/versions/{version}/infer", "/v2/models/m/versions/{}/infer"
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
    words = []
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
    fresh = SideBySide(lambda _: None, pane_seconds=10.0)
    with pytest.raises(ValueError, match="of -1"):
        fresh.restore(key, type(state)(state.records, state.pairs, -1.0))

    assert fresh.states == {}


def compared(versions: Sequence[Mapping[tuple[str, str], VersionCounts]], route: str = "/p") -> SideBySide:
    sides = SideBySide(lambda _: None, pane_seconds=10.0)
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
