"""What people write, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dashlight import units


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
    assert units.seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"), [("4096", 4096), ("64KiB", 65536), ("1MB", 1_000_000), ("1.5 MiB", 1_572_864), ("7B", 7)]
)
def test_sizes_are_read_with_their_unit(text: str, size: int) -> None:
    assert units.size_bytes(text) == size


@pytest.mark.parametrize(("text", "share"), [("0.05", 0.05), ("5%", 0.05), ("1", 1.0), ("0", 0.0), ("100 %", 1.0)])
def test_shares_are_numbers_or_percent(text: str, share: float) -> None:
    assert units.share(text) == share


@pytest.mark.parametrize(
    ("text", "seconds"), [("1/30d", 2_592_000.0), ("2/1d", 43_200.0), ("1/d", 86_400.0), ("0.5/1h", 7200.0)]
)
def test_a_budget_is_a_count_in_a_duration(text: str, seconds: float) -> None:
    assert units.seconds_between(text) == seconds


@pytest.mark.parametrize(("text", "value"), [("true", True), ("YES", True), ("0", False), (" off ", False)])
def test_flags_are_words_in_any_case(text: str, value: bool) -> None:  # noqa: FBT001
    assert units.flag(text) is value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (units.seconds, "10"), (units.seconds, "10 parsecs"), (units.seconds, "-1s"), (units.seconds, ""), (units.seconds, "9" * 400 + "d"),
        (units.size_bytes, "1XB"), (units.size_bytes, "big"),
        (units.share, "2"), (units.share, "101%"), (units.share, "-1"), (units.share, "1s"),
        (units.flag, "perhaps"),
        (units.seconds_between, "30d"), (units.seconds_between, "0/30d"), (units.seconds_between, "x/1d"),
        (units.seconds_between, "1/0s"), (units.seconds_between, "/1d"),
    ],
)  # fmt: skip
def test_anything_else_is_refused(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - settings turn it into a SettingsError
        read(text)


@pytest.mark.parametrize(
    ("authority", "found"),
    [
        ("model.example", ("model.example", None)), ("Model.Example:8000", ("model.example", 8000)),
        ("10.0.0.1:80", ("10.0.0.1", 80)), ("[::1]", ("::1", None)), ("[FE80::1%eth0]:8080", ("fe80::1%eth0", 8080)),
        ("localhost:", ("localhost", None)), (" a ", ("a", None)),
    ],
)  # fmt: skip
def test_both_parts_of_a_host_header_are_told_apart(authority: str, found: tuple[str, int | None]) -> None:
    assert units.address_and_port(authority) == found
    assert units.server_of(authority.encode(), ("bound", 1)) == found


@pytest.mark.parametrize(
    "authority",
    ["", ":80", "a b", "a:b", "a:99999", "a:123456", "::1", "[::1", "a/b", "user@host", "a" * 254, "a,b", "h\u00f6st"],
)
def test_what_is_no_host_leaves_the_server_as_it_is_bound(authority: str) -> None:
    assert units.server_of(authority.encode(), ("10.0.0.7", 8000)) == ("10.0.0.7", 8000)
    assert units.server_of(authority.encode(), ("/run/app.sock", None)) == ("/run/app.sock", None)
    assert units.server_of(authority.encode(), None) == ("", None)
