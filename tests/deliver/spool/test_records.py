from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.deliver.spool.records import HEADER_BYTES, SpoolRecord, packed, unpacked
from dashlight.errors import StateError


@given(st.text(max_size=40), st.binary(max_size=200), st.lists(st.binary(max_size=100), min_size=1, max_size=20))
def test_what_is_packed_comes_out_again(key: str, envelope: bytes, payloads: list[bytes]) -> None:
    record = SpoolRecord(key.encode(errors="replace").decode(), envelope, payloads)

    assert unpacked(packed(record, seal=None, label=b"")[HEADER_BYTES:], seal=None, label=b"") == record


@pytest.mark.parametrize(
    "content", [b"", b"no zlib", zlib.compress(b"no msgpack"), zlib.compress(b"\x93\x01\x02\x03")], ids=str
)
def test_what_nobody_packed_is_refused(content: bytes) -> None:
    with pytest.raises(StateError, match="a record cannot be read"):
        unpacked(content, seal=None, label=b"")


def test_what_would_unpack_to_more_than_there_may_be_is_refused() -> None:
    deflater = zlib.compressobj(9)
    bomb = b"".join(deflater.compress(bytes(2**20)) for _ in range(80)) + deflater.flush()

    with pytest.raises(StateError):
        unpacked(bomb, seal=None, label=b"")
