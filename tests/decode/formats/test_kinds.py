import pytest

from dashlight.decode.formats.kinds import kind_of


@pytest.mark.parametrize(
    ("body", "media_type", "kind", "is_told_by_bytes"),
    [
        (b"{}", "application/json", "json", False),
        (b"{}", "application/problem+json", "json", False),
        (b"{}", "", "unsaid", False),
        (b"a=1", "application/x-www-form-urlencoded", "form", False),
        (b"1,2", "application/x-csv", "csv", False),
        (b"1,2", "text/x-csv", "csv", False),
        (b"x", "application/x-parquet", "parquet", False),
        (b"x", "application/x-apache-arrow", "", False),
        (b"PAR1", "application/octet-stream", "parquet", True),
        (b"\xff\xff\xff\xff\x10", "", "arrow", True),
        (b"ARROW1\0\0", "text/plain", "arrow", True),
        (b"\x28\xb5\x2f\xfd", "application/json", "zstd", True),
        (b"\x80\x05\x95", "", "pickle", True),
        (b"\x80\x04\x95", "application/msgpack", "msgpack", False),
        (b"%PDF-1.7", "", "file", True),
        (b"\0\1\2", "application/json", "binary", True),
        (b"\0\1\2", "text/html", "", False),
        ("{}".encode("utf-16"), "application/json", "json", False),
        (b"RIFFxxxxWAVE", "audio/wav", "file", False),
    ],
)
def test_the_kind_is_what_the_bytes_or_the_type_say(
    body: bytes, media_type: str, kind: str, *, is_told_by_bytes: bool
) -> None:
    assert kind_of(body, media_type) == (kind, is_told_by_bytes)
