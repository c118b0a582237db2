import numpy as np
import pytest

from dashlight.judge.words import number, percent, printable, span, told_apart


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, "0"),
        (1400.2, "1,400"),
        (36.0, "36"),
        (64.04, "64.04"),
        (0.025141, "0.02514"),
        (-5.08, "-5.08"),
        (123456.7, "123,457"),
        (2.5e12, "2.5e+12"),
        (3.2e-7, "3.2e-07"),
        (float("inf"), "inf"),
    ],
)
def test_numbers_keep_four_significant_digits(value: float, written: str) -> None:
    assert number(value) == written


@pytest.mark.parametrize(
    ("share", "written"),
    [
        (0.0, "0 %"),
        (0.0004, "<0.1 %"),
        (0.001, "0.1 %"),
        (0.025, "2.5 %"),
        (0.09, "9 %"),
        (0.214, "21 %"),
        (1.0, "100 %"),
    ],
)
def test_shares_are_written_in_percent(share: float, written: str) -> None:
    assert percent(share) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0.0, "0 ms"), (0.3, "300 ms"), (2.5, "2.5 s"), (600.0, "10 min"), (7200.0, "2 h"), (2592000.0, "30 d")],
)
def test_spans_of_time_take_the_largest_unit_that_fits(seconds: float, written: str) -> None:
    assert span(seconds) == written


def test_a_name_from_outside_stays_on_one_line() -> None:
    assert printable("temp\n\x1b[31mERROR all is lost") == "temp??[31mERROR all is lost"


@pytest.mark.parametrize("name", ["", " ", "   "])
def test_a_name_that_nobody_sees_is_in_quotes(name: str) -> None:
    assert printable(name) == f'"{name}"'


@pytest.mark.parametrize(
    ("low", "high", "written"),
    [
        (1.0, 2.0, ("1", "2")),
        (7.0, 7.0, ("7", "7")),
        (7.00001, 7.00004, ("7.00001", "7.00004")),
        (1e9 + 0.25, 1e9 + 0.5, ("1000000000.25", "1000000000.5")),
        (1.0, float(np.nextafter(1.0, 2.0)), ("1", "1.0000000000000002")),
    ],
)
def test_two_numbers_have_the_digits_that_tell_them_apart(low: float, high: float, written: tuple[str, str]) -> None:
    assert told_apart(low, high) == written


def test_a_long_name_is_cut() -> None:
    written = printable("x" * 200)

    assert len(written) == 60
    assert written.endswith("x...")
