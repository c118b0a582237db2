import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.decode.formats.sse import (
    MAX_EVENTS,
    MAX_LINES,
    MAX_STREAM_BYTES,
    EventReader,
    ServerSentEvent,
    Stream,
    read_stream,
)

BODIES = [
    b'data: {"a": 1}\n\ndata: {"b": 2}\n\n',
    b"data:x\r\n\r\ndata: y\r\n\r\n",
    b"data: x\r\rdata: y\r\r",
    b": keep-alive\n\nevent: error\ndata: one\ndata: two\nid: 7\nretry: 10\n\n",
    b"\xef\xbb\xbfdata: with a byte order mark\n\n",
    b"\n\ndata: after nothing\n\ndata: without an end",
    b"data\n\nunknown: field\n\ndata: \xc3\xa9\n\n",
    "bare text, ünïcödé, \N{GRINNING FACE}\nand a line".encode(),
    b"data",
    b"dat",
    b"",
    b"\xef\xbb\xbfhi",
]


@pytest.mark.parametrize(
    ("body", "events"),
    [
        pytest.param(b"data: a\n\ndata: b\n\n", [ServerSentEvent("a"), ServerSentEvent("b")], id="with a space"),
        pytest.param(
            b"data:a\n\ndata:  b\n\n", [ServerSentEvent("a"), ServerSentEvent(" b")], id="without, and with two"
        ),
        pytest.param(
            b"data: a\r\n\r\ndata: b\r\r", [ServerSentEvent("a"), ServerSentEvent("b")], id="other ends of lines"
        ),
        pytest.param(b": ping\n\n:\n\ndata: a\n\n", [ServerSentEvent("a")], id="comments"),
        pytest.param(
            b"event: error\ndata: a\n\ndata: b\n\n", [ServerSentEvent("a", "error"), ServerSentEvent("b")], id="named"
        ),
        pytest.param(b"event: done\n\ndata: a\n\n", [ServerSentEvent("a")], id="a name without data"),
        pytest.param(b"data: a\ndata: b\n\n", [ServerSentEvent("a\nb")], id="several lines"),
        pytest.param(b"id: 1\nretry: 5\ndata\n\n", [ServerSentEvent("")], id="an empty event"),
        pytest.param(b"data: a\n", [ServerSentEvent("a")], id="no empty line at the end"),
        pytest.param(b"data: \xc3\n\n", [ServerSentEvent("\N{REPLACEMENT CHARACTER}")], id="no UTF-8"),
    ],
)
def test_events_of_every_framing_are_read(body: bytes, events: list[ServerSentEvent]) -> None:
    assert read_stream([body]) == Stream(tuple(events))


def test_an_event_cut_in_half_is_kept_and_marked() -> None:
    stream = read_stream([b'data: {"a": 1}\n\ndata: {"b"'])

    assert stream.events == (ServerSentEvent('{"a": 1}'), ServerSentEvent('{"b"'))
    assert stream.is_cut


@pytest.mark.parametrize(
    "text", ["Hello\n\nworld", "{}", "d", "data", "dataset: x", "", "retry this", "Ωμέγα"], ids=repr
)
def test_a_body_without_events_is_bare_text(text: str) -> None:
    assert read_stream([text.encode()]) == Stream((), text)


def test_a_character_cut_for_good_is_replaced() -> None:
    assert read_stream(["some é".encode()[:-1]]).text == "some \N{REPLACEMENT CHARACTER}"


def test_a_body_that_begins_with_ends_of_lines_alone_is_bare_text() -> None:
    assert read_stream([b"\n" * 1000]).text == "\n" * 1000


@given(st.sampled_from(BODIES), st.lists(st.integers(0, 120), max_size=8))
def test_where_a_body_is_cut_into_pieces_does_not_matter(body: bytes, cuts: list[int]) -> None:
    ends = [*sorted(min(cut, len(body)) for cut in cuts), len(body)]
    starts = [0, *ends[:-1]]
    pieces = [body[start:end] for start, end in zip(starts, ends, strict=True)]

    assert read_stream(pieces) == read_stream([body])


@pytest.mark.parametrize("body", BODIES)
def test_a_body_may_come_byte_by_byte(body: bytes) -> None:
    assert read_stream(body[at : at + 1] for at in range(len(body))) == read_stream([body])


def test_events_are_there_as_soon_as_they_are_complete() -> None:
    reader = EventReader()

    assert reader.feed(b"data: a\n") == []
    assert reader.feed(b"\nda") == [ServerSentEvent("a")]
    assert reader.feed(b"ta: b\n\n") == [ServerSentEvent("b")]
    assert reader.close() == ([], False)


def test_no_more_events_than_the_limit_are_kept() -> None:
    stream = read_stream([b"data:1\n\n" * (MAX_EVENTS + 5)])

    assert len(stream.events) == MAX_EVENTS
    assert stream.is_over_limit


def test_no_more_lines_than_the_limit_are_looked_at() -> None:
    reader = EventReader()
    reader.feed(b"data: a\n\n" + b"\n" * MAX_LINES)

    assert reader.is_over_limit
    assert reader.feed(b"data: b\n\n") == []
    assert reader.close() == ([], False)


def test_no_more_bytes_than_the_limit_are_kept() -> None:
    stream = read_stream([b"x" * MAX_STREAM_BYTES, b"y"])

    assert len(stream.text) == MAX_STREAM_BYTES
    assert stream.is_over_limit


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_no_bytes_make_it_raise(pieces: list[bytes]) -> None:
    assert read_stream(pieces) == read_stream([b"".join(pieces)])
