"""Figures as bytes."""

from __future__ import annotations

import contextlib
import struct
import zlib

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dashlight.errors import DashlightError, StateError
from dashlight.metrics.figures import Figure, Figures, HistogramFigure, decode, encode

REQUESTS = Figure("dashlight.requests", "counter", "{request}", "Requests", 7, {"http.route": "/p"})
DRIFT = Figure("dashlight.column.drift", "gauge", "", "Distance", 0.25, {"dashlight.column.name": 'evil\n"name'})
DURATION = HistogramFigure("dashlight.request.duration", "s", "Time", (0.5, 1.0), (3, 2, 1), 4.5, {"http.route": "/p"})
FIGURES = Figures(1_790_000_010.5, 1_790_000_000.0, (REQUESTS, DRIFT), (DURATION,))

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
figures = st.builds(
    Figure, texts, st.sampled_from(["counter", "gauge", "updowncounter"]), texts, texts, numbers, st.dictionaries(texts, texts)
)  # fmt: skip


def sealed(body: bytes, *, layout: int = 1) -> bytes:
    return struct.pack("<4sHI", b"DLfg", layout, zlib.crc32(body)) + body


def test_figures_come_back_from_bytes_as_they_were() -> None:
    assert decode(encode(FIGURES)) == FIGURES


@given(st.lists(figures, max_size=5))
def test_any_figures_come_back_as_they_were(some: list[Figure]) -> None:
    given_figures = Figures(2.0, 1.0, tuple(some), ())

    assert decode(encode(given_figures)) == given_figures


def test_whole_numbers_stay_whole() -> None:
    assert isinstance(decode(encode(FIGURES)).figures[0].value, int)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"not figures", encode(FIGURES)[:-1], encode(FIGURES) + b"x", sealed(b""), sealed(b"\xc1"),
        sealed(msgspec.msgpack.encode([1, 2])), sealed(b"\x91" * 5000),
    ],
    ids=["nothing", "text", "half written", "too long", "empty", "no msgpack", "something else", "nested deep"],
)  # fmt: skip
def test_garbage_is_refused(content: bytes) -> None:
    with pytest.raises(DashlightError, match="no figures"):
        decode(content)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(content: bytes) -> None:
    for each in (content, sealed(content)):
        with contextlib.suppress(DashlightError):
            decode(each)


@given(st.integers(0, len(encode(FIGURES)) - 1), st.integers(0, 255))
def test_a_changed_byte_is_noticed(place: int, byte: int) -> None:
    content = bytearray(encode(FIGURES))
    assume(content[place] != byte)
    content[place] = byte

    with pytest.raises(DashlightError, match="figures"):
        decode(content)


def test_figures_of_another_version_are_told_from_garbage() -> None:
    content = sealed(msgspec.msgpack.encode(FIGURES), layout=2)

    with pytest.raises(StateError, match="layout 2: expected 1") as refused:
        decode(content)

    assert refused.value.kind == "other_version"


def test_a_histogram_without_a_count_for_each_bin_is_refused() -> None:
    torn = HistogramFigure("a", "s", "", (0.5, 1.0), (3, 2), 4.5, {})

    with pytest.raises(StateError, match="a count for each bin"):
        decode(encode(Figures(2.0, 1.0, (), (torn,))))
