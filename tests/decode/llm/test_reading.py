import json

from dashlight.decode.formats.sse import EVENT_STREAM, MAX_EVENTS
from dashlight.decode.llm.prompt import text_prompt
from dashlight.decode.llm.reading import read_generation
from dashlight.decode.rows.generation import ToolCall
from dashlight.decode.rows.reading import ABSENT, Content, Place, Reading

NOWHERE = Place(is_prediction=True, protocol="", model="", version="", why="")


def answered(value: object) -> Content:
    return Content(b"", "application/json", (), value)


def streamed(body: bytes) -> Content:
    return Content(body, EVENT_STREAM, (), ABSENT)


def read(answer: Content | None, asked: dict[str, object] | None = None, place: Place = NOWHERE) -> Reading:
    fields = {"model": "m", "temperature": 0.5} if asked is None else asked
    return read_generation(text_prompt("Hi", fields), fields, answer, place, operation="text_completion")


def output(reading: Reading, name: str) -> object:
    assert reading.outputs is not None
    return reading.outputs.values[0][reading.outputs.names.index(name)]


def test_all_that_is_told_of_an_answer_is_read() -> None:
    call = {"function": {"name": "f", "arguments": "{}"}}
    reading = read(
        answered(
            {
                "id": "c-1",
                "model": "m",
                "choices": [
                    {"message": {"content": "Ho", "tool_calls": [call], "refusal": "No"}, "finish_reason": "stop"}
                ],
                "usage": {"prompt_tokens": 7, "completion_tokens": 3},
            }
        )
    )

    assert (reading.model, reading.version, reading.request_id) == ("m", "", "c-1")
    assert reading.params == {"temperature": 0.5}
    assert reading.features.left_out == {"model": "parameter", "temperature": "parameter"}
    generation = reading.generation
    assert generation is not None
    assert (generation.input_text, generation.output_text, generation.finish) == ("Hi", "Ho", ("stop",))
    assert generation.tool_calls == (ToolCall("f", {}),)
    assert (generation.usage, generation.estimate) == ({"input": 7, "output": 3}, {})
    assert (generation.refusals, generation.is_streamed, generation.operation) == (("No",), False, "text_completion")
    assert reading.features.values[0][reading.features.names.index("input_tokens")] == 7
    assert output(reading, "output_tokens") == 3


def test_what_nobody_counted_is_estimated_and_marked_so() -> None:
    generation = read(answered({"choices": [{"message": {"content": "12345678"}}], "usage": None})).generation

    assert generation is not None
    assert (generation.usage, generation.estimate) == ({}, {"input": 1, "output": 2})


def test_the_model_is_the_one_asked_for_and_the_version_the_one_that_answers() -> None:
    answer = answered({"model": "m-2024", "choices": []})
    somewhere = Place(is_prediction=True, protocol="", model="p", version="", why="")

    assert [(it.model, it.version) for it in (read(answer), read(answer, {}), read(answer, place=somewhere))] == [
        ("m", "m-2024"),
        ("m-2024", ""),
        ("p", "m-2024"),
    ]


def test_without_an_answer_there_is_what_was_asked() -> None:
    reading = read(None, {"model": "m", "stream": True, "api_key": "x"})

    assert reading.outputs is None
    assert reading.model == "m"
    assert reading.features.left_out == {"model": "parameter", "stream": "parameter", "api_key": "credential"}
    assert reading.generation is not None
    assert reading.generation.is_streamed


def test_a_failure_inside_a_stream_leaves_no_outputs_and_the_text_before_it() -> None:
    chunk = {"choices": [{"delta": {"content": "Ho"}}]}
    reading = read(streamed(f'data: {json.dumps(chunk)}\n\ndata: {{"error": "boom"}}\n\n'.encode()))

    assert reading.outputs is None
    assert reading.failure is not None
    assert reading.generation is not None
    assert reading.generation.output_text == "Ho"


def test_a_stream_cut_short_says_so() -> None:
    assert read(streamed(b'data: {"choices')).flags == {"truncated"}
    assert read(streamed(b"data:x\n\n" * (MAX_EVENTS + 1))).flags == {"over_limit"}


def test_an_application_of_its_own_may_answer_more_than_a_text() -> None:
    reading = read(answered({"reply": "Ho", "score": 0.9}))

    assert output(reading, "output_text") == "Ho"
    assert output(reading, "score") == 0.9
    assert reading.outputs is not None
    assert "reply" not in reading.outputs.names


def test_an_answer_without_a_text_is_no_empty_one() -> None:
    reading = read(answered({"intent": "refund", "score": 0.9}))

    assert reading.outputs is not None
    assert reading.outputs.names == ("intent", "score")
