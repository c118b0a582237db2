import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.judge.alerts import Phase
from dashlight.judge.traffic.rules import parse_rules
from dashlight.judge.traffic.thresholds import CrossingState, Quantities, ThresholdJudge
from dashlight.records import Alert, Score
from dashlight.store.layout import Layout

LAYOUT: Layout[tuple[CrossingState, ...]] = Layout("crossings", 1, tuple[CrossingState, ...])

QUIET = Quantities(
    exchange_count=812,
    failures={},
    latency_seconds={"p50": 0.02, "p99": 0.1},
    first_byte_seconds={"p50": 0.01},
    throughput=5.0,
    in_flight=2,
    undecodable_count=0,
    analysed_count=812,
)
FAILING = replace(QUIET, failures={"http_500": 276})
NOTHING = replace(QUIET, exchange_count=0, analysed_count=0, latency_seconds={}, first_byte_seconds={})


def missing(column: str, value: float) -> Score:
    return Score(column, "feature", "missing_rate", value, 0.0, 1.0, 500)


@pytest.fixture
def judge_of() -> Callable[[str], ThresholdJudge]:
    return lambda text: ThresholdJudge(parse_rules(text), model="late", version="1", endpoint="/predict")


def states(judge: ThresholdJudge, measured: list[Quantities], every: float = 60.0) -> list[str]:
    """State of the one rule after each of *measured*."""
    found = [judge.update(each, every * place) for place, each in enumerate(measured)]
    return [alerts[0].state if alerts else "inactive" for alerts in found]


def one(alerts: list[Alert]) -> Alert:
    assert len(alerts) == 1
    return alerts[0]


def test_a_rule_fires_once_it_has_been_crossed_for_its_time(judge_of: Callable[[str], ThresholdJudge]) -> None:
    found = states(judge_of("error_rate>2% for 2m"), [QUIET, FAILING, FAILING, FAILING])

    assert found == ["inactive", "pending", "pending", "firing"]


def test_a_rule_without_a_time_fires_at_once(judge_of: Callable[[str], ThresholdJudge]) -> None:
    assert states(judge_of("in_flight>50"), [replace(QUIET, in_flight=51), QUIET]) == ["firing", "resolved"]


def test_a_rule_that_is_crossed_shortly_leaves_nothing(judge_of: Callable[[str], ThresholdJudge]) -> None:
    assert states(judge_of("error_rate>2% for 2m"), [FAILING, QUIET, QUIET]) == ["pending", "inactive", "inactive"]


def test_an_alert_resolves_only_below_the_lower_threshold(judge_of: Callable[[str], ThresholdJudge]) -> None:
    nearly = replace(QUIET, failures={"http_500": 14})  # 1.7 %: below 2 %, not below 1.6 %

    found = states(judge_of("error_rate>2%"), [FAILING, nearly, nearly, QUIET])

    assert found == ["firing", "firing", "firing", "resolved"]


def test_an_alert_resolves_only_once_it_has_recovered_for_its_time(judge_of: Callable[[str], ThresholdJudge]) -> None:
    judge = judge_of("error_rate>2% for 2m")

    found = states(judge, [FAILING, FAILING, FAILING, QUIET, QUIET, FAILING, QUIET, QUIET, QUIET, QUIET])

    # It recovers, is crossed again, and then has to recover for two minutes anew.
    assert found == ["pending", "pending", *["firing"] * 6, "resolved", "inactive"]


def test_a_lower_threshold_is_crossed_downwards(judge_of: Callable[[str], ThresholdJudge]) -> None:
    slow, nearly = replace(QUIET, throughput=0.4), replace(QUIET, throughput=1.2)
    judge = judge_of("throughput<1/s")

    found = one(judge.update(slow, 0.0))

    assert found.summary == "throughput 0.4 /s (limit 1 /s)"
    assert states(judge, [nearly, QUIET]) == ["firing", "resolved"]


def test_an_error_rate_names_the_kinds_that_occurred_most(judge_of: Callable[[str], ThresholdJudge]) -> None:
    kinds = {"http_503": 10, "raised_ValueError": 2, "http_500": 276, "timeout": 1, "never": 0}

    found = one(judge_of("error_rate>2%").update(replace(QUIET, failures=kinds), 7.0))

    assert found.summary == (
        "error rate 36 % of 812 exchanges (limit 2 %): http_500 x 276, http_503 x 10, raised_ValueError x 2"
    )
    assert (found.rows, found.at, found.since_at, found.column) == (812, 7.0, 7.0, None)
    assert found.score == pytest.approx(289 / 812)


def test_a_refusal_rate_names_the_fields_and_knows_failures_apart(
    judge_of: Callable[[str], ThresholdJudge],
) -> None:
    refusing = replace(FAILING, refusals={"http_422 age missing": 400, "http_400": 12}, refused_count=412)

    found = one(judge_of("refusal_rate>50%").update(refusing, 0.0))

    assert found.summary == (
        "refusal rate 51 % of 812 exchanges (limit 50 %): 422 because of `age` missing x 400, http_400 x 12"
    )


def test_a_refusal_of_several_fields_is_one(judge_of: Callable[[str], ThresholdJudge]) -> None:
    kinds = {"http_422 age missing": 400, "http_422 zip missing": 350}

    found = one(judge_of("refusal_rate>40%").update(replace(FAILING, refusals=kinds, refused_count=406), 0.0))

    assert found.score == pytest.approx(406 / 812)


def test_a_pattern_counts_only_failures_that_match(judge_of: Callable[[str], ThresholdJudge]) -> None:
    measured = replace(QUIET, failures={"http_500": 81, "client_disconnect": 500})

    found = one(judge_of("error_rate[http_5*]>2%").update(measured, 0.0))

    assert found.summary == "error rate 10 % of 812 exchanges (limit 2 %): http_500 x 81"


@pytest.mark.parametrize(
    ("text", "measured", "summary"),
    [
        (
            "latency_p99>300ms",
            replace(QUIET, latency_seconds={"p99": 0.412}),
            "latency p99 412 ms over 812 exchanges (limit 300 ms)",
        ),
        (
            "first_byte_p50>1s",
            replace(QUIET, first_byte_seconds={"p50": 2.0}),
            "time to first byte p50 2 s over 812 exchanges (limit 1 s)",
        ),
        ("in_flight>50", replace(QUIET, in_flight=53), "53 exchanges in flight (limit 50)"),
        (
            "undecodable_rate>1%",
            replace(QUIET, undecodable_count=203),
            "25 % of 812 exchanges undecodable (limit 1 %)",
        ),
    ],
    ids=["latency", "first byte", "in flight", "undecodable"],
)
def test_every_quantity_is_told_in_its_unit(
    judge_of: Callable[[str], ThresholdJudge], text: str, measured: Quantities, summary: str
) -> None:
    assert one(judge_of(text).update(measured, 0.0)).summary == summary


def test_a_missing_rate_is_judged_column_by_column(judge_of: Callable[[str], ThresholdJudge]) -> None:
    measured = replace(QUIET, missing=[missing("temp", 0.2), missing("dewp", 0.12), missing("hour", 0.0)])

    found = judge_of("missing_rate>5%").update(measured, 0.0)

    assert [(alert.column, alert.role, alert.rows) for alert in found] == [
        ("temp", "feature", 500),
        ("dewp", "feature", 500),
    ]
    assert found[1].summary == "12 % of dewp missing in 500 rows (limit 5 %)"
    assert len({alert.key for alert in found}) == 2


def test_a_pattern_names_the_columns_that_may_not_be_missing(judge_of: Callable[[str], ThresholdJudge]) -> None:
    measured = replace(QUIET, missing=[missing("temp", 0.2), missing("dewp", 0.2)])

    assert one(judge_of("missing_rate[te*]>5%").update(measured, 0.0)).column == "temp"


@pytest.mark.parametrize("text", ["error_rate>2%", "latency_p99>300ms", "undecodable_rate>1%"])
def test_without_exchanges_a_rule_stays_quiet(judge_of: Callable[[str], ThresholdJudge], text: str) -> None:
    assert judge_of(text).update(NOTHING, 0.0) == []


def test_a_gap_without_exchanges_neither_ends_a_pending_alert_nor_counts_for_it(
    judge_of: Callable[[str], ThresholdJudge],
) -> None:
    judge = judge_of("error_rate>2% for 2m")
    judge.update(FAILING, 0.0)

    gap = one(judge.update(NOTHING, 600.0))
    after = one(judge.update(FAILING, 660.0))

    assert (gap.state, after.state, after.since_at) == ("pending", "firing", 0.0)


def test_without_exchanges_an_alert_fires_on(judge_of: Callable[[str], ThresholdJudge]) -> None:
    judge = judge_of("error_rate>2%")
    judge.update(FAILING, 0.0)

    found = one(judge.update(NOTHING, 60.0))

    assert found.state == "firing"
    assert found.summary == "failure_rate: nothing to judge by (limit 2 %)"


def test_a_column_that_is_not_measured_any_more_fires_on_until_it_is(judge_of: Callable[[str], ThresholdJudge]) -> None:
    judge = judge_of("missing_rate>5%")
    judge.update(replace(QUIET, missing=[missing("temp", 0.2)]), 0.0)

    silent = one(judge.update(QUIET, 60.0))
    back = one(judge.update(replace(QUIET, missing=[missing("temp", 0.0)]), 120.0))

    assert (silent.state, silent.column, silent.role) == ("firing", "temp", "feature")
    assert (back.state, back.key) == ("resolved", silent.key)


def test_an_alert_keeps_when_it_began_and_when_it_was_first_crossed(judge_of: Callable[[str], ThresholdJudge]) -> None:
    judge = judge_of("error_rate>2% for 2m")
    for at in (10.0, 70.0, 130.0):
        judge.update(FAILING, at)

    found = one(judge.update(FAILING, 190.0))

    assert (found.state, found.since_at, found.at) == ("firing", 10.0, 130.0)


def test_the_key_names_the_rule_the_model_and_the_endpoint(judge_of: Callable[[str], ThresholdJudge]) -> None:
    found = one(judge_of("error_rate > 2%").update(FAILING, 0.0))

    assert found.key == "threshold/late/%2Fpredict/error_rate%3E2%25"
    assert (found.model, found.version, found.endpoint, found.source) == ("late", "1", "/predict", "threshold")


def test_what_is_in_force_of_columns_that_nobody_sends_any_more_ends() -> None:
    judge = ThresholdJudge(parse_rules("missing_rate>20%, error_rate>2%"), endpoint="/predict")
    both = replace(FAILING, missing=[missing("age", 0.5), missing("income", 0.4)])
    assert {alert.column for alert in judge.update(both, 0.0)} == {"age", "income", None}

    ended = one(judge.forget_columns({("feature", "age")}, 60.0))

    assert (ended.column, ended.role, ended.state, ended.at) == ("income", "feature", "resolved", 60.0)
    assert ended.summary == "missing_rate: nothing to judge by (limit 20 %)"
    assert {alert.column for alert in judge.update(replace(both, missing=[]), 120.0)} == {"age", None}


RULES = "error_rate>2% for 2m, missing_rate[age*]>10% for 1m, missing_rate>50%, throughput<1/s"


def quantities(failed: int, columns: dict[str, float], throughput: float) -> Quantities:
    scores = [missing(column, value) for column, value in columns.items()]
    return replace(QUIET, failures={"http_500": failed}, missing=scores, throughput=throughput)


MEASURED = st.builds(
    quantities,
    failed=st.sampled_from([0, 14, 276]),
    columns=st.dictionaries(st.sampled_from(["age", "aged", "income"]), st.sampled_from([0.0, 0.09, 0.3, 0.9])),
    throughput=st.sampled_from([0.5, 1.1, 5.0]),
)


@given(measured=st.lists(MEASURED, max_size=25), cut_at=st.integers(0, 25))
def test_a_judge_that_is_restored_goes_on_as_it_was(measured: list[Quantities], cut_at: int) -> None:
    whole = restored = ThresholdJudge(parse_rules(RULES), endpoint="/predict")
    for pane, now in enumerate(measured):
        if pane == cut_at:
            restored = ThresholdJudge(parse_rules(RULES), endpoint="/predict")
            restored.restore(LAYOUT.thaw(written(whole)))
        told = whole.update(now, 30.0 * pane)
        assert restored is whole or str(restored.update(now, 30.0 * pane)) == str(told)

    assert written(restored) == written(whole)


def written(judge: ThresholdJudge) -> bytes:
    return b"".join(LAYOUT.freeze(judge.state))


def crossing(**fields: Any) -> CrossingState:
    judge = ThresholdJudge(parse_rules(RULES))
    judge.update(FAILING, 60.0)
    return replace(judge.state[0], **fields)


@pytest.mark.parametrize(
    "state",
    [
        crossing(rule="error_rate>3% for 2m"),
        crossing(column="age", role="feature"),
        crossing(role="feature"),
        crossing(rule="missing_rate>50%"),
        crossing(phase=Phase("firing", 60.0, 60.0)),
        crossing(phase=Phase("pending", math.nan, 60.0)),
        crossing(phase=Phase("pending", 60.0, math.inf)),
        crossing(recovered_at=math.nan),
        crossing(hysteresis=replace(crossing().hysteresis, alert_state="resolved")),
        crossing(
            phase=Phase("inactive", 60.0, 60.0), hysteresis=replace(crossing().hysteresis, alert_state="inactive")
        ),
    ],
    ids=[
        *(
            "no such rule",
            "of a column",
            "of a role",
            "of no column",
            "in two states",
            "at no moment",
            "since no moment",
        ),
        *("recovered at no moment", "over", "not crossed"),
    ],
)
def test_crossings_to_which_no_values_lead_are_refused(state: CrossingState) -> None:
    with pytest.raises(ValueError, match=r"rule|column|moment|beginning|state"):
        ThresholdJudge(parse_rules(RULES)).restore((state,))


def test_columns_that_became_one_when_they_were_written_are_one(judge_of: Callable[[str], ThresholdJudge]) -> None:
    judge = judge_of("missing_rate>50%")
    twice = crossing(rule="missing_rate>50%", column="\ufffd", role="feature")

    judge.restore((twice, twice))

    assert len(judge.state) == 1
