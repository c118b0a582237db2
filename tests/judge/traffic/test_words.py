"""What an alarm about traffic means, in words and shares."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from dashlight.judge.traffic.events import TrafficEvents
from dashlight.judge.traffic.words import FEWEST_FOR_QUANTILE, Shown, explain
from dashlight.window.outcomes import OutcomeCounter, OutcomeCounts


def counts_of(
    rows: int, *, failures: Mapping[str, int] | None = None, seconds: float = 0.1, undecodable: int = 0
) -> OutcomeCounts:
    outcomes, times = OutcomeCounter(), seconds * np.exp(np.linspace(-1, 1, rows))
    kinds = [kind for kind, count in (failures or {}).items() for _ in range(count)]
    outcomes.add(
        ["ok"] * rows,
        duration_seconds=times,
        first_byte_seconds=times / 2,
        request_bytes=times,
        response_bytes=times,
    )
    outcomes.add_failures(kinds)
    outcomes.add_analysed(rows, ["cut"] * undecodable)
    return outcomes.close(0.0)


NOTHING: Mapping[str, int] = {}
REFERENCE = counts_of(1000, failures={"http_503": 10, "cancelled": 30}, undecodable=20)
EVENTS = TrafficEvents(REFERENCE)


def shown(
    name: str,
    kind: str = "",
    *,
    after: float,
    failures: Mapping[str, int] = NOTHING,
    refusals: Mapping[str, int] = NOTHING,
    quantile: int = 0,
) -> Shown:
    quantity = next(each for each in EVENTS.quantities if (each.name, each.kind) == (name, kind))
    place = quantity.places[quantile]
    return Shown(quantity, place, after, failures, {"cut": 15, "json": 5}, refusals, trials=100)


def test_a_refusal_is_told_with_the_field_that_it_is_about() -> None:
    refusals = {"http_422 age missing": 90, "http_400": 10}

    sentence, cause = explain(
        shown("refusal_rate", after=1.0, refusals=refusals), EVENTS, reference=REFERENCE, recent=REFERENCE
    )

    assert sentence == (
        "refusal rate rose from 0 % to 100 % of exchanges: 422 because of `age` missing x 90, http_400 x 10"
    )
    assert [(bin_.label, bin_.reference, bin_.current) for bin_ in cause.bins] == [
        ("422 because of `age` missing", 0.0, 0.9),
        ("http_400", 0.0, 0.1),
    ]


def test_the_field_that_moved_most_is_named_first_and_the_rate_is_that_of_exchanges() -> None:
    before = replace(
        REFERENCE,
        outcomes={"ok": 50, "refused": 50},
        refusals={"http_422 age missing": 45, "http_422 zip missing": 10},
    )
    now = {"http_422 age missing": 60, "http_422 zip missing": 55}

    sentence, _ = explain(shown("refusal_rate", after=0.6, refusals=now), EVENTS, reference=before, recent=before)

    assert sentence == (
        "refusal rate rose from 50 % to 60 % of exchanges: 422 because of `zip` missing x 55,"
        " 422 because of `age` missing x 60"
    )


def told(each: Shown, recent: OutcomeCounts = REFERENCE) -> str:
    return explain(each, EVENTS, reference=REFERENCE, recent=recent)[0]


def test_a_rise_of_errors_is_told_with_its_most_frequent_kinds() -> None:
    failures = {"http_503": 4, "exception:KeyError": 3, "cancelled": 2, "http_500": 1, "http_502": 1}

    sentence, cause = explain(
        shown("error_rate", after=0.09, failures=failures), EVENTS, reference=REFERENCE, recent=REFERENCE
    )

    assert sentence == (
        "error rate rose from 1 % to 9 % of exchanges: http_503 x 4, exception:KeyError x 3, http_500 x 1, ..."
    )
    assert (cause.reference, cause.current) == (0.01, 0.09)
    assert [(bin_.label, bin_.reference, bin_.current) for bin_ in cause.bins] == [
        ("http_503", 0.01, 0.04),
        ("exception:KeyError", 0.0, 0.03),
        ("http_500", 0.0, 0.01),
        ("http_502", 0.0, 0.01),
    ]


def test_one_kind_is_told_alone() -> None:
    sentence = told(shown("error_kind", "http_503", after=0.2, failures={"http_500": 7, "http_503": 20}))

    assert sentence == "error rate of http_503 rose from 1 % to 20 % of exchanges: http_503 x 20"


def test_a_new_kind_is_told_with_those_that_are_new() -> None:
    sentence = told(shown("new_failure", after=0.07, failures={"http_503": 20, "http_500": 7}))

    assert sentence == (
        "error rate of kinds never seen in the reference rose from 0 % to 7 % of exchanges: http_500 x 7"
    )


def test_what_cannot_be_read_is_told_with_the_reasons() -> None:
    sentence = told(shown("undecodable_rate", after=0.2, failures={}))

    assert sentence == "undecodable share rose from 2 % to 20 % of exchanges: cut x 15, json x 5"


@pytest.mark.parametrize(("name", "words"), [("latency", "latency"), ("first_byte", "time to first byte")])
def test_slowness_is_told_by_the_quantile_that_moved(name: str, words: str) -> None:
    sentence = told(shown(name, after=0.8, failures={}), counts_of(1000, seconds=0.2))

    assert sentence.startswith(f"{words} above ")
    assert " (p50 of the reference) rose from 4" in sentence
    assert " % to 80 % of exchanges: p50 " in sentence
    assert " -> " in sentence


def test_of_too_few_exchanges_no_quantile_is_told() -> None:
    recent = counts_of(FEWEST_FOR_QUANTILE - 1, seconds=0.2)

    assert told(shown("latency", after=0.8, failures={}), recent).endswith(" % to 80 % of exchanges")


def test_a_name_from_outside_cannot_draw_on_a_terminal() -> None:
    sentence = told(shown("new_failure", after=0.5, failures={"exception:\x1b[31m": 50}))

    assert "\x1b" not in sentence
