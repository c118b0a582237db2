import pytest
from examples.flights.performance import MonthPerformance, ShownFigures


def month(*figures: dict[str, tuple[float, int]]) -> MonthPerformance:
    made = MonthPerformance()
    for values in figures:
        made.add_realised(ShownFigures(0.0, values))
        made.add_estimated(ShownFigures(0.0, values))
    return made


def test_a_month_is_the_mean_by_rows_of_what_was_shown() -> None:
    shown = month({"accuracy": (0.8, 300), "brier": (0.1, 300)}, {"accuracy": (0.6, 100), "latency_p50": (1.0, 5)})

    assert shown.realised["accuracy"].value == pytest.approx(0.75)
    assert shown.realised["brier"].value == pytest.approx(0.1)
    assert shown.estimated["accuracy"].value is None


@pytest.mark.parametrize(
    ("figures", "verdict"),
    [
        ({"accuracy": (0.72, 10), "estimated_accuracy": (0.81, 10)}, "off by +0.090"),
        (
            {"accuracy": (0.82, 10), "estimated_accuracy": (0.81, 10), "outside_reference_rate": (0.02, 10)},
            "off by -0.010",
        ),
        (
            {"accuracy": (0.7, 10), "outside_reference_rate": (0.96, 10)},
            "none: outside the reference (96% of the rows)",
        ),
        ({"accuracy": (0.7, 10)}, "none yet"),
        ({"estimated_accuracy": (0.81, 10)}, "no labels"),
    ],
    ids=["too high", "too low", "outside", "not yet", "no labels"],
)
def test_it_says_how_far_the_estimate_was_off_or_why_there_was_none(
    figures: dict[str, tuple[float, int]], verdict: str
) -> None:
    assert month(figures).verdict("accuracy") == verdict
