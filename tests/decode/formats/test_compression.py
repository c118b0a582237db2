import gzip
import random
import tracemalloc
import zlib
from collections.abc import Callable, Mapping
from types import SimpleNamespace

import pytest

from dashlight.decode.formats.compression import EXPANDED_BYTES, MAX_MEMBERS, expand, unbrotlied, unzstd
from dashlight.errors import DecodeError

BODY = b'{"a": 1.0, "b": "z"}'


def reason_of(error: pytest.ExceptionInfo[DecodeError]) -> str:
    return error.value.reason


def raw_deflate(body: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(body) + deflater.flush()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        pytest.param(BODY, "", id="no encoding"),
        pytest.param(BODY, "identity", id="identity"),
        pytest.param(gzip.compress(BODY), "gzip", id="gzip"),
        pytest.param(gzip.compress(BODY), " GZip ", id="gzip, spelt oddly"),
        pytest.param(gzip.compress(BODY), "x-gzip", id="the old name of gzip"),
        pytest.param(gzip.compress(gzip.compress(BODY)), "gzip, identity, gzip", id="twice"),
        pytest.param(zlib.compress(gzip.compress(BODY)), "gzip,deflate", id="the last one first"),
        pytest.param(gzip.compress(BODY[:5]) + gzip.compress(BODY[5:]), "gzip", id="two streams"),
        pytest.param(gzip.compress(BODY) + b"rest", "gzip", id="something behind the end"),
        pytest.param(zlib.compress(BODY), "deflate", id="deflate with its wrapper"),
        pytest.param(raw_deflate(BODY), "deflate", id="deflate without its wrapper"),
    ],
)
def test_a_content_encoding_is_undone(body: bytes, encoding: str) -> None:
    assert expand(body, encoding) == BODY


@pytest.mark.parametrize("encoding", ["rot13", "gzip, rot13", "gzip, gzip, gzip, gzip"])
def test_an_encoding_that_is_not_read_is_named(encoding: str) -> None:
    with pytest.raises(DecodeError) as error:
        expand(BODY, encoding)

    assert reason_of(error) == "unsupported_encoding"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_body_that_is_not_what_its_encoding_says_is_invalid(encoding: str) -> None:
    with pytest.raises(DecodeError) as error:
        expand(b"\x00\x01\x02 nothing of the kind", encoding)

    assert reason_of(error) == "invalid_encoding"


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(gzip.compress(BODY)[:-9], "gzip"), (zlib.compress(BODY)[:-5], "deflate")],
    ids=["gzip", "deflate"],
)
def test_a_compressed_body_that_is_cut_is_truncated(body: bytes, encoding: str) -> None:
    with pytest.raises(DecodeError) as error:
        expand(body, encoding)

    assert reason_of(error) == "truncated"


def test_a_bomb_of_8_mb_is_given_up_at_the_limit() -> None:
    bomb = gzip.compress(b"0" * (8 << 20))
    tracemalloc.start()

    with pytest.raises(DecodeError) as error:
        expand(bomb, "gzip")
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert reason_of(error) == "too_large"
    assert peak_bytes < 4 * EXPANDED_BYTES


def test_a_body_of_exactly_the_limit_is_read() -> None:
    assert len(expand(gzip.compress(b" " * 100), "gzip", limit_bytes=100)) == 100


def test_more_streams_than_any_sender_makes_are_too_large() -> None:
    with pytest.raises(DecodeError) as error:
        expand(gzip.compress(b"") * (MAX_MEMBERS + 1), "gzip")

    assert reason_of(error) == "too_large"


def compressor(encoding: str) -> Callable[[bytes], bytes]:
    if encoding == "br":
        found: Callable[[bytes], bytes] = pytest.importorskip("brotli").compress
    else:
        found = pytest.importorskip("zstandard").ZstdCompressor().compress
    return found


@pytest.mark.parametrize("encoding", ["br", "zstd"])
def test_optional_encodings_are_undone_within_the_limit(encoding: str) -> None:
    compress = compressor(encoding)
    reasons = []
    for body in (compress(b"0" * (8 << 20)), compress(BODY * 50)[:-9], b"\x00\x01 nothing of the kind"):
        tracemalloc.start()
        with pytest.raises(DecodeError) as error:
            expand(body, encoding)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        reasons.append(reason_of(error))
        assert peak_bytes < 4 * EXPANDED_BYTES

    large = random.Random(5).randbytes(400_000)
    assert expand(compress(large), encoding) == large
    assert expand(compress(BODY), encoding) == BODY
    assert expand(gzip.compress(compress(BODY)), f"{encoding}, gzip") == BODY
    assert reasons == ["too_large", "truncated", "invalid_encoding"]


def test_a_zstd_window_beyond_8_mib_is_refused_before_its_memory_is_taken() -> None:
    zstandard = pytest.importorskip("zstandard")
    wide = zstandard.ZstdCompressionParameters(window_log=27)
    deflater = zstandard.ZstdCompressor(compression_params=wide).compressobj()

    with pytest.raises(DecodeError) as error:
        expand(deflater.compress(BODY) + deflater.flush(), "zstd")

    assert reason_of(error) == "invalid_encoding"


def test_a_missing_package_is_an_unsupported_encoding_that_says_what_to_install() -> None:
    older = SimpleNamespace(Decompressor=object)

    attempts: list[Callable[[], bytes]] = [
        lambda: unbrotlied(None, BODY, 100),
        lambda: unbrotlied(older, BODY, 100),
        lambda: unzstd(None, None, BODY, 100),
    ]
    for undo in attempts:
        with pytest.raises(DecodeError) as error:
            undo()
        assert reason_of(error) == "unsupported_encoding"
        assert "pip install 'dashlight[encodings]'" in str(error.value)


class InflaterLikePython314:
    """compression.zstd's decompressor as its documentation describes it, with zlib inside."""

    def __init__(self, *, options: Mapping[str, int]) -> None:
        assert options == {"window_log_max": 23}
        self._inflater = zlib.decompressobj()

    @property
    def eof(self) -> bool:
        return self._inflater.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflater.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return self._inflater.decompress(data, max_length)


def test_pythons_own_zstd_is_asked_first_and_bounded_too() -> None:
    own = SimpleNamespace(
        DecompressionParameter=SimpleNamespace(window_log_max="window_log_max"),
        ZstdDecompressor=InflaterLikePython314,
        ZstdError=zlib.error,
    )

    assert unzstd(own, None, zlib.compress(BODY), 100) == BODY
    with pytest.raises(DecodeError) as error:
        unzstd(own, None, zlib.compress(b"0" * 101), 100)
    assert reason_of(error) == "too_large"


@pytest.mark.parametrize("encoding", ["br", "zstd"])
def test_a_body_is_read_or_refused_whether_or_not_the_package_is_there(encoding: str) -> None:
    with pytest.raises(DecodeError) as error:
        expand(b"\xff\xff\xff", encoding)

    assert reason_of(error) in {"invalid_encoding", "truncated", "unsupported_encoding"}
