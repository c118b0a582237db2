import json

import pytest

from dashlight.decode.formats.sse import EVENT_STREAM, MAX_EVENTS
from dashlight.decode.llm.draft import Choice
from dashlight.decode.llm.stream_answer import draft_of, is_stream, streamed_draft
from dashlight.decode.rows.failures import Failure
from dashlight.decode.rows.reading import ABSENT, Content


def chunk(text: str) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]})


def stream(*events: str) -> bytes:
    return "".join(f"data: {event}\n\n" for event in events).encode()


@pytest.mark.parametrize(
    "body",
    [
        stream(chunk("one"), chunk(" two"), "[DONE]"),
        stream(chunk("one"), chunk(" two")),
        stream("one", " two"),
        stream('"one"', '" two"'),
        stream('{"token": "one"}', '{"token": " two"}'),
        b'{"token": "one"}\n{"token": " two"}\n',
        b"one two",
    ],
    ids=["chunks", "no end", "texts", "texts in JSON", "unknown events", "lines of JSON", "bare text"],
)
def test_streams_of_every_form_say_the_same(body: bytes) -> None:
    draft = streamed_draft(body)

    assert draft.first.text == "one two"
    assert draft.is_streamed
    assert draft.failure is None


def test_an_event_cut_in_half_is_left_away_and_told() -> None:
    draft = streamed_draft(stream(chunk("one"), chunk(" two"))[:-20])

    assert draft.first.text == "one"
    assert draft.is_cut


def test_a_whole_event_without_its_end_counts() -> None:
    draft = streamed_draft(stream(chunk("one"), chunk(" two")).rstrip())

    assert draft.first.text == "one two"
    assert not draft.is_cut


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (stream(chunk("a"), '{"error": {"message": "boom", "type": "x"}}'), '{"message":"boom","type":"x"}'),
        (stream('{"error": "boom"}'), "boom"),
        (stream('{"error": true, "message": "boom"}'), "boom"),
        (stream('{"object": "error", "message": "boom", "code": 400}'), "boom"),
        (stream('{"type": "error", "message": "boom"}'), "boom"),
        (b'event: error\ndata: {"message": "boom"}\n\n', "boom"),
        (b"event: error\ndata: boom\n\n", "boom"),
    ],
    ids=["OpenAI", "Triton", "a flag", "vLLM", "Responses", "a named event", "a named text"],
)
def test_errors_inside_a_stream_are_failures_of_it(body: bytes, detail: str) -> None:
    failure = streamed_draft(body).failure

    assert failure is not None
    assert failure.kind == "stream"
    assert detail in failure.detail


def test_an_error_that_is_null_is_none() -> None:
    assert streamed_draft(stream('{"error": null, "text": "a"}')).failure is None
    assert streamed_draft(stream('{"error": 0.5, "text": "a"}')).failure is None


def test_the_last_event_without_a_text_is_kept() -> None:
    assert streamed_draft(stream('{"progress": 0.5}', '{"prediction": 3}', '{"text": "a"}')).rest == {"prediction": 3}
    assert streamed_draft(stream('{"text": "a"}')).rest is ABSENT


@pytest.mark.parametrize("value", [{"reply": "hi", "score": 0.9}, [0.1, 0.2]], ids=repr)
def test_a_whole_answer_in_nobodys_words_is_kept(value: object) -> None:
    assert draft_of(Content(b"", "application/json", (), value)).rest == value
    assert draft_of(Content(b"", "application/json", (), {"choices": []})).rest is ABSENT


@pytest.mark.parametrize(
    ("value", "media_type", "is_streamed"),
    [
        ({"choices": [{"message": {"content": "hi"}}]}, "application/json", False),
        ([{"generated_text": "hi"}], "application/json", False),
        ([{"response": "h"}, {"response": "i"}], "application/x-ndjson", True),
        ("hi", "text/plain", False),
    ],
    ids=["an object", "a list", "lines", "text"],
)
def test_whole_answers_are_read_as_well(value: object, media_type: str, *, is_streamed: bool) -> None:
    draft = draft_of(Content(b"", media_type, (), value))

    assert draft.first.text == "hi"
    assert draft.is_streamed is is_streamed


def test_an_error_outside_a_stream_is_the_models() -> None:
    assert draft_of(Content(b"", "application/x", (), {"error": "boom"})).failure == Failure("model", "boom")


def test_a_value_that_says_nothing_gives_an_empty_draft() -> None:
    assert draft_of(Content(b"", "", (), 3)).first == Choice()


def test_streams_are_known_by_their_type_or_their_beginning() -> None:
    assert is_stream(Content(b"", EVENT_STREAM, (), ABSENT))
    assert is_stream(Content(b"data: a", "text/plain", (), "data: a"))
    assert not is_stream(Content(b"", "text/plain", (), "text"))
    assert draft_of(Content(stream("a"), "text/plain", (), "data: a\n\n")).first.text == "a"


def test_a_long_stream_says_that_it_was_not_read_to_the_end() -> None:
    assert streamed_draft(b"data:a\n\n" * (MAX_EVENTS + 1)).is_over_limit
