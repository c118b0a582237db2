from collections.abc import Callable

import pytest

from dashlight.decode.exchange import Decoded, decode_exchange
from dashlight.decode.formats.sse import EVENT_STREAM, MAX_EVENTS
from dashlight.decode.llm.stream_reading import with_stream
from dashlight.decode.rows.columns import Sheet
from dashlight.decode.rows.generation import Generation
from dashlight.decode.rows.reading import ABSENT, Content, Reading
from dashlight.records import Exchange

Make = Callable[..., Exchange]
EVENTS = {"content-type": "text/event-stream; charset=utf-8"}
READ = Reading(Sheet(("x",), [(1,)]), None)


def decoded(exchange: Make, request: object, body: bytes, path: str = "/ask") -> Decoded:
    return decode_exchange(exchange(request, body, path=path, answer_headers=EVENTS))


def output(found: Decoded, name: str) -> object:
    assert found.outputs is not None
    return found.outputs.values[0][found.outputs.names.index(name)]


def test_a_generator_of_bare_text_is_a_stream(exchange: Make) -> None:
    found = decoded(exchange, {"prompt": "Hi", "n": 3}, b"Hello wor" + "ld é".encode())

    assert found.features is not None
    assert found.features.names == ("prompt", "n")
    assert output(found, "output_text") == "Hello world é"
    assert found.generation is not None
    assert found.generation.input_text == "Hi"
    assert found.generation.is_streamed


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"question": "Why?", "lang": "en"}, "Why?"),
        ({"utterance": "Why?", "n": 1}, "Why?"),
        ({"a": "x", "b": "y"}, ""),
        ({"messages": [{"content": "Why?"}]}, "Why?"),
        ("Why?", "Why?"),
        ([1], ""),
    ],
    ids=["a telling key", "the only text", "two texts", "messages", "a text alone", "no text"],
)
def test_what_was_asked_is_guessed(asked: object, text: str) -> None:
    reading = with_stream(READ, asked, Content(b"data: a\n\n", EVENT_STREAM, (), ABSENT))

    assert reading.generation is not None
    assert reading.generation.input_text == text


def test_where_no_event_holds_a_text_the_last_one_is_the_answer(exchange: Make) -> None:
    found = decoded(exchange, {"x": 1}, b'data: {"progress": 0.5}\n\ndata: {"prediction": 3, "score": 0.2}\n\n')

    assert found.outputs is not None
    assert found.outputs.names == ("prediction", "score")


def test_errors_inside_are_failures(exchange: Make) -> None:
    found = decoded(exchange, {"x": 1}, b'data: {"error": "boom"}\n\n')

    assert found.outputs is None
    assert found.error is not None
    assert (found.error.kind, found.error.detail) == ("stream", "boom")
    assert "error_in_200" in found.flags


def test_a_cut_or_overlong_stream_says_so() -> None:
    cut = with_stream(READ, {}, Content(b'data: {"a"', EVENT_STREAM, (), ABSENT))
    overlong = with_stream(READ, {}, Content(b"data:a\n\n" * (MAX_EVENTS + 1), EVENT_STREAM, (), ABSENT))

    assert cut.flags == {"truncated"}
    assert overlong.flags == {"over_limit"}


def test_what_is_no_stream_or_read_already_is_left_alone() -> None:
    stream = Content(b"data: a\n\n", EVENT_STREAM, (), ABSENT)
    read_already = Reading(Sheet(), None, generation=Generation(is_streamed=True))

    assert with_stream(READ, {}, None) is READ
    assert with_stream(READ, {}, Content(b"{}", "application/json", (), {})) is READ
    assert with_stream(read_already, {}, stream) is read_already
