"""What people write, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dashlight import quantities


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("90s", 90.0),
        ("5m", 300.0),
        ("1h", 3600.0),
        ("30d", 2_592_000.0),
        ("1.5 h", 5400.0),
        ("2w", 1_209_600.0),
    ],
)
def test_durations_are_read_with_their_unit(text: str, seconds: float) -> None:
    assert quantities.seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"), [("4096", 4096), ("64KiB", 65536), ("1MB", 1_000_000), ("1.5 MiB", 1_572_864), ("7B", 7)]
)
def test_sizes_are_read_with_their_unit(text: str, size: int) -> None:
    assert quantities.size_bytes(text) == size


@pytest.mark.parametrize(("text", "share"), [("0.05", 0.05), ("5%", 0.05), ("1", 1.0), ("0", 0.0), ("100 %", 1.0)])
def test_shares_are_numbers_or_percent(text: str, share: float) -> None:
    assert quantities.share(text) == share


@pytest.mark.parametrize(
    ("text", "seconds"), [("1/30d", 2_592_000.0), ("2/1d", 43_200.0), ("1/d", 86_400.0), ("0.5/1h", 7200.0)]
)
def test_a_budget_is_a_count_in_a_duration(text: str, seconds: float) -> None:
    assert quantities.seconds_between(text) == seconds


@pytest.mark.parametrize(("text", "value"), [("true", True), ("YES", True), ("0", False), (" off ", False)])
def test_flags_are_words_in_any_case(text: str, value: bool) -> None:  # noqa: FBT001
    assert quantities.flag(text) is value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (quantities.seconds, "10"), (quantities.seconds, "10 parsecs"), (quantities.seconds, "-1s"), (quantities.seconds, ""), (quantities.seconds, "9" * 400 + "d"),
        (quantities.size_bytes, "1XB"), (quantities.size_bytes, "big"),
        (quantities.share, "2"), (quantities.share, "101%"), (quantities.share, "-1"), (quantities.share, "1s"),
        (quantities.flag, "perhaps"),
        (quantities.seconds_between, "30d"), (quantities.seconds_between, "0/30d"), (quantities.seconds_between, "x/1d"),
        (quantities.seconds_between, "1/0s"), (quantities.seconds_between, "/1d"),
    ],
)  # fmt: skip
def test_anything_else_is_refused(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - settings turn it into a SettingsError
        read(text)
