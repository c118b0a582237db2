import pytest

from dashlight.decode.formats.parquet_pages import MAX_PAGES, MAX_VALUES, check_pages
from dashlight.errors import DecodeError


def varint(value: int) -> bytes:
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def i32(value: int) -> bytes:
    return b"\x15" + varint(value << 1 ^ value >> 31)


def page(kind: int = 0, size: int = 10, packed: int = 0, count: int = 5, encoding: int = 0) -> bytes:
    """A header in Thrift's compact protocol: fields 1 to 3, then the struct of the kind of page."""
    own = {0: b"\x2c", 2: b"\x4c", 3: b"\x5c"}[kind]
    second = b"\x35" + i32(encoding)[1:] if kind == 3 else i32(encoding)
    return i32(kind) + i32(size) + i32(packed) + own + i32(count) + second + b"\0\0" + b"p" * packed


def test_pages_within_the_limits_pass() -> None:
    body = b"PAR1" + page(2, packed=3, count=4) + page(0, packed=7) + page(3, encoding=8)

    check_pages(body, [(4, 10)], limit_bytes=30)


ODD = i32(0) + b"\x13\x07" + b"\x17" + b"8bytes.." + b"\x18\x03abc" + b"\x11\x12" + b"\x05\x08\x02"


@pytest.mark.parametrize(
    ("body", "wanted", "reason"),
    [
        pytest.param(page(size=31), 5, "too_large", id="one byte too many"),
        pytest.param(page(size=2**31 - 1), 5, "too_large", id="2 GiB"),
        pytest.param(page(size=0, count=0) * (MAX_PAGES + 1), 5, "too_large", id="empty pages"),
        pytest.param(page(count=MAX_VALUES + 1), MAX_VALUES + 1, "too_large", id="a run of a million"),
        pytest.param(page(encoding=5), 5, "unknown_layout", id="differences"),
        pytest.param(page(2, encoding=6), 5, "unknown_layout", id="a dictionary of differences"),
        pytest.param(page(), 6, "truncated", id="a page is missing"),
        pytest.param(page()[:5], 5, "truncated", id="a header that is cut"),
        pytest.param(i32(0) + i32(-5), 5, "truncated", id="cut behind a negative size"),
        pytest.param(i32(0) + i32(-5) + b"\0", 5, "invalid_body", id="a negative size"),
        pytest.param(b"\x15" + b"\xff" * 11, 5, "invalid_body", id="an endless number"),
        pytest.param(b"\x19\x00", 5, "invalid_body", id="a list"),
        pytest.param(b"\x1c" * 20, 5, "invalid_body", id="structs in structs"),
        pytest.param(ODD + b"\0", 5, "invalid_body", id="types that no page has"),
    ],
)
def test_what_is_wrong_with_pages_is_one_word(body: bytes, wanted: int, reason: str) -> None:
    with pytest.raises(DecodeError) as error:
        check_pages(body, [(0, wanted)], limit_bytes=30)

    assert error.value.reason == reason


def test_a_place_outside_the_file_is_truncated() -> None:
    for start in (-1, 10**9):
        with pytest.raises(DecodeError) as error:
            check_pages(page(), [(start, 5)], limit_bytes=30)
        assert error.value.reason == "truncated"
