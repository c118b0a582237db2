import pytest

from dashlight.errors import SettingsError
from dashlight.judge.traffic.rules import Rule, is_floor, limits_of, parse_rules


def test_thresholds_are_read_as_people_write_them() -> None:
    text = "error_rate>2% for 5m, latency_p99 > 300ms for 5m,throughput<1/s for 10m, in_flight>50"

    assert parse_rules(text) == (
        Rule("error_rate>2% for 5m", "failure_rate", "*", True, 0.02, 300.0),
        Rule("latency_p99>300ms for 5m", "latency_p99", "*", True, 0.3, 300.0),
        Rule("throughput<1/s for 10m", "throughput", "*", False, 1.0, 600.0),
        Rule("in_flight>50", "in_flight", "*", True, 50.0, 0.0),
    )


@pytest.mark.parametrize(
    ("text", "threshold"),
    [
        ("error_rate>0.02", 0.02),
        ("missing_rate>5%", 0.05),
        ("undecodable_rate>0.5%", 0.005),
        ("first_byte_p50>1.5s", 1.5),
        ("throughput<30/m", 0.5),
        ("throughput<7200 / h", 2.0),
    ],
)
def test_every_quantity_has_its_unit(text: str, threshold: float) -> None:
    assert parse_rules(text)[0].threshold == pytest.approx(threshold)


def test_a_pattern_says_which_failures_or_columns_count() -> None:
    first, second = parse_rules("error_rate[http_5*]>1%, missing_rate[ temp ]>10% for 1h")

    assert (first.pattern, first.text) == ("http_5*", "error_rate[http_5*]>1%")
    assert (second.pattern, second.text) == ("temp", "missing_rate[temp]>10% for 1h")


@pytest.mark.parametrize("text", ["", "  ", " , ,"])
def test_nothing_written_is_no_rule(text: str) -> None:
    assert parse_rules(text) == ()


def test_the_same_rule_twice_counts_once() -> None:
    assert len(parse_rules("in_flight>50, in_flight > 50")) == 1


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("error_rate", "QUANTITY>THRESHOLD or QUANTITY<THRESHOLD"),
        ("error_rate>=2%", "failure_rate as a share such as 2% or 0.02"),
        ("errors>2%", "one of failure_rate, refusal_rate, missing_rate"),
        ("error_rate>200%", "failure_rate as a share such as 2% or 0.02"),
        ("latency_p99>300", "latency_p99 as a time such as 300ms or 1.5s"),
        ("latency_p99>300ms for ever", "a time such as 5m or 6 panes after `for`"),
        ("throughput<1", "throughput as a number of exchanges such as 1/s"),
        ("throughput<1/week", "throughput as a number of exchanges such as 1/s"),
        ("in_flight>many", "in_flight as a number of exchanges such as 50"),
        ("error_rate>100%", "a threshold that can be crossed"),
        ("in_flight<0", "a threshold that can be crossed"),
        ("throughput<0/s", "a threshold that can be crossed"),
        ("in_flight>5 over 20 exchanges", "only rates of exchanges are judged over them"),
        ("missing_rate>5% over 20 exchanges", "only rates of exchanges are judged over them"),
        ("failure_rate>5% for 6 pane s", "a time such as 5m or 6 panes after `for`"),
        ("in_flight[x]>5", "only failure_rate, refusal_rate and missing_rate take a pattern"),
    ],
)
def test_a_mistake_is_told_with_the_rule_and_what_was_wanted(text: str, wanted: str) -> None:
    with pytest.raises(SettingsError) as found:
        parse_rules(f"in_flight>50, {text}")

    assert found.value.variable == "DASHLIGHT_THRESHOLDS"
    assert str(found.value).startswith(f"DASHLIGHT_THRESHOLDS={text!r}: expected ")
    assert wanted in str(found.value)


def test_a_threshold_that_is_met_is_not_crossed() -> None:
    upper, lower = parse_rules("in_flight>50, throughput<1/s")

    assert [upper.crossed(value) for value in (50, 50.1)] == [False, True]
    assert [lower.crossed(value) for value in (1, 0.9)] == [False, True]


def test_a_rule_recovers_only_well_inside_its_threshold() -> None:
    upper, lower = parse_rules("in_flight>50, throughput<1/s")

    assert [upper.recovered(value) for value in (45, 40)] == [False, True]
    assert [lower.recovered(value) for value in (1.2, 1.25)] == [False, True]


def test_a_lower_threshold_near_one_can_be_recovered_from() -> None:
    (rule,) = parse_rules("undecodable_rate<90%")

    assert (rule.recovered(0.94), rule.recovered(0.95)) == (False, True)


FLOORS = (
    Rule("failure_rate>20% over 20 exchanges for 6 panes", "failure_rate", "*", True, 0.2, 60.0, 20),
    Rule("refusal_rate>50% over 20 exchanges for 30 panes", "refusal_rate", "*", True, 0.5, 300.0, 20),
    Rule("unanswered>19 for 60s", "unanswered", "*", True, 19.0, 60.0),
)


@pytest.mark.parametrize("text", ["default", "", " default "])
def test_three_floors_need_no_word_of_the_operator(text: str) -> None:
    assert limits_of(text, pane_seconds=10.0) == FLOORS


def test_own_limits_are_added_to_the_floors() -> None:
    own = Rule("latency_p99>300ms", "latency_p99", "*", True, 0.3, 0.0)

    assert limits_of("latency_p99>300ms", pane_seconds=10.0) == (*FLOORS, own)
    assert limits_of("default, latency_p99>300ms", pane_seconds=10.0) == (*FLOORS, own)


def test_the_floors_can_be_switched_off_with_and_without_own_limits() -> None:
    assert limits_of("none", pane_seconds=10.0) == ()
    assert [rule.text for rule in limits_of("none, in_flight>50", pane_seconds=10.0)] == ["in_flight>50"]


def test_default_and_none_at_once_are_a_mistake() -> None:
    with pytest.raises(SettingsError, match="either default or none"):
        limits_of("default, none", pane_seconds=10.0)


def test_a_time_in_panes_is_as_long_as_these_are() -> None:
    assert [rule.hold_seconds for rule in limits_of("default", pane_seconds=2.0)] == [12.0, 60.0, 60.0]


def test_the_floors_are_known_by_what_they_say() -> None:
    assert [is_floor(rule) for rule in limits_of("failure_rate>2%", pane_seconds=10.0)] == [True, True, True, False]
