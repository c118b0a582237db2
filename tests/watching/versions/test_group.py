"""The versions of one model: who is compared with whom, what decides, and what is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import isnan
from typing import Any

import numpy as np
import pytest

from dashlight.judge.versions.figures import MAX_LOSS, deciding_figure, report_of_pair
from dashlight.judge.versions.pair import ALONE_PANES
from dashlight.judge.versions.report import VersionReport, decide
from dashlight.judge.versions.totals import VersionTotals
from dashlight.labels.rows import LabelledRows
from dashlight.watching.versions.group import (
    GENERATION_SECONDS,
    GONE_SECONDS,
    MOST_COMPARED,
    VersionGroup,
    decided,
)
from dashlight.window.histogram import LATENCY, Binning

BINS = Binning(LATENCY)
Labelled = Callable[..., LabelledRows]


def did(asked: int, failed: int = 0, refused: int = 0, *, seconds: float = 0.1) -> VersionTotals:
    return VersionTotals(asked, failed, refused, BINS.count(np.full((1, asked), seconds)))


def passed(
    group: VersionGroup, *panes: Mapping[str, VersionTotals], since: int = 0, unknown: VersionTotals | None = None
) -> None:
    for number, pane in enumerate(panes, since + 1):
        for pair in group.close_pane(pane, 10.0 * number, unknown=unknown or VersionTotals(), pane_seconds=10.0):
            decided(pair, deciding_figure(pair).decision, 10.0 * number)


def report(group: VersionGroup, place: int = 0) -> VersionReport:
    return report_of_pair(group.pairs[place], endpoint="/predict", model="m")


def names(group: VersionGroup) -> list[tuple[str, str]]:
    return [(pair.stable, pair.candidate) for pair in group.pairs]


def test_a_new_version_is_compared_with_the_one_that_was_asked_most() -> None:
    group = VersionGroup()

    passed(group, {"1": did(90), "2": did(100)}, {"3": did(1000), "1": did(5), "2": did(50)})

    assert names(group) == [("2", "1"), ("2", "3")]


def test_a_canary_that_fails_more_is_worse_and_that_is_decided_once() -> None:
    group = VersionGroup()
    passed(group, {"1": did(100, 2)}, *[{"1": did(90, 2), "2": did(20, 4)}] * 40)
    at = group.pairs[0].decided_at

    passed(group, *[{"1": did(90, 2), "2": did(2000)}] * 400, since=41)

    found = report(group)
    assert (found.decision, found.decided_at) == ("worse", at)
    assert found.is_simultaneous
    assert found.words == "2 is worse than 1: its failure_rate is more than 1 % worse"
    assert found.rows == {"1": 90 * 440, "2": 20 * 40 + 2000 * 400}


def test_equal_versions_are_found_no_worse_and_the_gate_may_ask_otherwise() -> None:
    group = VersionGroup()

    passed(group, {"1": did(100, 2)}, *[{"1": did(90, 2), "2": did(90, 2)}] * 200)

    found = report(group)
    assert found.decision == "no_worse"
    assert decide(found, "failure_rate", max_loss=0.02) == "no_worse"
    assert decide(found, "failure_rate", max_loss=0.0) == "undecided"
    assert decide(found, "refusal_rate", max_loss=0.01) == "no_worse"
    with pytest.raises(KeyError):
        decide(found, "charm")
    with pytest.raises(ValueError, match="level"):
        decide(found, level=0.0)
    with pytest.raises(ValueError, match="max_loss"):
        decide(found, max_loss=float("nan"))


def test_few_exchanges_decide_nothing_and_say_how_many_there_are() -> None:
    group = VersionGroup()

    passed(group, {"1": did(9)}, {"1": did(1234), "2": did(3, 1)})

    assert report(group).decision == "undecided"
    assert report(group).words.startswith("too few to decide whether 2 is worse than 1 by more than 1 %")
    assert "3 and 1,234 so far" in report(group).words


def test_one_figure_decides_and_all_others_say_that_they_do_not() -> None:
    group = VersionGroup()

    passed(group, {"1": did(100)}, *[{"1": did(90), "2": did(90, seconds=0.5)}] * 30)

    figures = report(group).figures
    assert [each.name for each in figures if each.is_deciding] == ["failure_rate"]
    assert all("does not decide" in each.words for each in figures if not each.is_deciding)
    slower = next(each for each in figures if each.name == "latency_p90")
    assert slower.low > 0.2
    assert slower.decision == "worse"


def test_traffic_is_shared_among_versions_others_and_the_unknown() -> None:
    group = VersionGroup()

    passed(group, {"1": did(50)}, {"1": did(60), "2": did(20), "3": did(10)}, unknown=did(10))

    assert report(group).shares == {"1": 0.6, "2": 0.2, "other": 0.1, "unknown": 0.1}


def test_failures_of_unknown_versions_make_the_rate_not_attributable() -> None:
    group = VersionGroup()

    passed(group, {"1": did(100, 2)}, *[{"1": did(90), "2": did(90)}] * 50, unknown=did(5, 5))

    deciding = report(group).figures[0]
    assert deciding.evidence is None
    assert isnan(deciding.difference)
    assert deciding.words.endswith("set DASHLIGHT_MODEL_VERSION, or name it in the path")
    assert "not attributable" in report(group).words
    assert report(group).decision == "undecided"
    assert decide(report(group), max_loss=0.5) == "undecided"


def test_a_release_that_follows_another_is_compared_as_before_and_after() -> None:
    group = VersionGroup()

    passed(group, *[{"1": did(100, 2)}] * 30, *[{"2": did(100, 20)}] * (ALONE_PANES + 1))

    found = report(group)
    assert not found.is_simultaneous
    assert found.decision == "worse"
    assert "before and after, not at the same time" in found.words
    assert found.figures[0].stable_rows == 3000


def test_a_version_that_is_asked_again_is_compared_at_the_same_time_again() -> None:
    group = VersionGroup()

    passed(group, {"1": did(10)}, *[{"2": did(10)}] * (ALONE_PANES + 1), {"1": did(1), "2": did(1)})

    assert report(group).is_simultaneous


def test_what_a_version_did_longer_ago_is_aged() -> None:
    group = VersionGroup()
    days = [GENERATION_SECONDS * day for day in (0.5, 1.6, 2.7, 3.8)]
    for at in days:
        list(group.close_pane({"1": did(100)}, at))

    list(group.close_pane({"2": did(1)}, days[-1] + 10))

    assert group.pairs[0].before.asked == 200


def test_a_version_that_nobody_asks_is_kept_for_eight_days() -> None:
    group = VersionGroup()
    list(group.close_pane({"1": did(100)}, 10.0))
    list(group.close_pane({"2": did(100)}, 20.0))

    list(group.close_pane({"2": did(1)}, GONE_SECONDS))
    kept = names(group)
    list(group.close_pane({"2": did(1)}, GONE_SECONDS + 30.0))

    assert kept == [("1", "2")]
    assert names(group) == []


def test_of_a_thousand_versions_few_have_a_place_and_a_real_one_gets_one() -> None:
    group = VersionGroup()
    passed(group, {"1": did(100)}, {"1": did(100), **{f"x{number}": did(1) for number in range(1000)}})

    passed(group, *[{"1": did(100), "2": did(30)}] * 3, since=2)

    assert ("1", "2") in names(group)
    assert len(group.state.records) == MOST_COMPARED
    assert len(group.pairs) == MOST_COMPARED - 1


def test_after_many_releases_the_newest_is_still_compared() -> None:
    group = VersionGroup()

    passed(group, *[{str(version): did(100)} for version in range(1, 12) for _ in range(5)])

    assert names(group)[-1] == ("10", "11")


@pytest.mark.parametrize(
    ("task", "labels", "scores", "expected"),
    [
        (
            "binary",
            [1, 0, 1, 0],
            [0.9, 0.2, 0.4, 0.8],
            {"accuracy": 0.5, "precision": 0.5, "recall": 0.5, "brier": 0.2625},
        ),
        ("ranking", [1, 2, 0, 4], None, {"ctr": 0.75, "mrr": 0.4375}),
    ],
)
def test_labels_join_their_version(
    task: Any, labels: list[float], scores: list[float] | None, expected: dict[str, float], labelled: Labelled
) -> None:
    group = VersionGroup()
    passed(group, {"1": did(100)}, {"1": did(100), "2": did(10)})
    for version in ("1", "2"):
        rows = labelled(task, labels, scores, None, predicted_at=np.full(4, 15.0))
        group.take(replace(rows, model=("/predict", "m", version)))

    found = {each.name: each for each in report(group).figures}
    assert {name: found[name].candidate for name in expected} == pytest.approx(expected)
    assert all(found[name].candidate_rows in {2, 4} for name in expected)


def test_labels_of_predictions_from_before_the_candidate_are_not_set_against_its_own(labelled: Labelled) -> None:
    group = VersionGroup()
    passed(group, {"1": did(100)}, {"1": did(100), "2": did(10)})

    rows = labelled("binary", [1, 0], [0.9, 0.1], None, predicted_at=np.array([5.0, 15.0]))
    group.take(replace(rows, model=("/predict", "m", "1")))

    assert next(each for each in report(group).figures if each.name == "accuracy").stable_rows == 1


def test_errors_of_numbers_are_measured_once_their_size_is_known(labelled: Labelled) -> None:
    group = VersionGroup()
    passed(group, {"1": did(100)}, {"1": did(100), "2": did(10)})
    for version, error in (("1", 1.0), *[("1", 1.0), ("2", 2.0)] * 2):
        rows = labelled("regression", np.zeros(50), np.full(50, error), None, predicted_at=np.full(50, 15.0))
        group.take(replace(rows, model=("/predict", "m", version)))

    found = next(each for each in report(group).figures if each.name == "mae")
    assert (found.stable, found.candidate, found.difference) == pytest.approx((1.0, 2.0, 1.0))
    assert found.low > 0


def test_the_comparison_can_be_cut_anywhere() -> None:
    panes = [{"1": did(50, 1), "2": did(10, number % 3)} for number in range(8)]
    whole = VersionGroup()
    passed(whole, *panes)

    for cut in range(8):
        before, after = VersionGroup(), VersionGroup()
        passed(before, *panes[:cut])
        after.restore(before.state)
        passed(after, *panes[cut:], since=cut)
        assert report(after).figures[:2] == report(whole).figures[:2]
        assert report(after).words == report(whole).words
        assert after.asked_at == whole.asked_at


def wrong_states(group: VersionGroup) -> dict[str, Any]:
    state = group.state
    pair, record = state.pairs[0], state.records["1"]
    return {
        "too many": replace(state, records={str(each): record for each in range(MOST_COMPARED + 1)}),
        "a pair of nobody": replace(state, pairs=(replace(pair, candidate="9"),)),
        "beside itself": replace(state, pairs=(replace(pair, candidate="1"),)),
        "two pairs of one": replace(state, pairs=(pair, pair)),
        "more failed than asked": replace(
            state, records={**state.records, "1": replace(record, current=replace(did(1), failed=2))}
        ),
        "no moment": replace(state, pairs=(replace(pair, since_at=float("nan")),)),
        "latencies of another shape": replace(
            state, pairs=(replace(pair, before=replace(did(1), durations=np.zeros(3, np.int64))),)
        ),
        "bets on nothing known": replace(state, pairs=(replace(pair, bets={"charm": pair.bets["failure_rate"]}),)),
        "a scale below zero": replace(state, numbers_scale=-1.0),
    }


@pytest.mark.parametrize(
    "what",
    [
        "too many", "a pair of nobody", "beside itself", "two pairs of one", "more failed than asked", "no moment",
        "latencies of another shape", "bets on nothing known", "a scale below zero",
    ],
)  # fmt: skip
def test_a_state_that_cannot_be_true_is_refused_and_nothing_of_it_taken_over(what: str) -> None:
    group = VersionGroup()
    passed(group, {"1": did(50)}, {"1": did(50), "2": did(5)})
    fresh = VersionGroup()

    with pytest.raises(ValueError, match=r"."):
        fresh.restore(wrong_states(group)[what])

    assert (fresh.pairs, dict(fresh.state.records)) == ([], {})


def test_no_loss_is_decided_about_the_default_margin() -> None:
    assert MAX_LOSS == 0.01
