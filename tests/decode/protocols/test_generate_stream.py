from collections.abc import Callable

import pytest

from dashlight.decode.exchange import Decoded, decode_exchange
from dashlight.decode.protocols.generate_stream import TGI
from dashlight.decode.rows.reading import Content, Place
from dashlight.records import Exchange

Make = Callable[..., Exchange]
EVENTS = {"content-type": "text/event-stream"}


def streamed(exchange: Make, request: object, *events: str, path: str) -> Decoded:
    body = "".join(f"data:{event}\n\n" for event in events).encode()
    return decode_exchange(exchange(request, body, path=path, answer_headers=EVENTS))


def texts(decoded: Decoded) -> tuple[str, str]:
    assert decoded.generation is not None
    return (decoded.generation.input_text, decoded.generation.output_text)


def test_a_stream_of_triton_is_read(exchange: Make) -> None:
    event = '{"model_name": "llm", "model_version": "1", "text_output": "%s"}'
    asked = {"text_input": "Hi", "id": 7, "parameters": {"temperature": 0.2, "stream": True}}
    decoded = streamed(exchange, asked, event % "he", event % "llo", path="/v2/models/llm/generate_stream")

    assert texts(decoded) == ("Hi", "hello")
    assert (decoded.model, decoded.version, decoded.request_id) == ("llm", "1", "7")
    assert decoded.params == {"temperature": 0.2, "stream": True}


@pytest.mark.parametrize(("said", "request_id"), [({"id": "9"}, "9"), ({}, "8")], ids=["the answer's", "the request's"])
def test_an_answer_of_triton_in_one_piece_is_read(exchange: Make, said: dict[str, str], request_id: str) -> None:
    answer = {"model_name": "llm", "model_version": "1", "text_output": "hello", **said}
    decoded = decode_exchange(exchange({"text_input": "Hi", "id": "8"}, answer, path="/v2/models/llm/generate"))

    assert texts(decoded) == ("Hi", "hello")
    assert decoded.request_id == request_id


def test_a_request_without_an_id_has_none(exchange: Make) -> None:
    answer = {"text_output": "hello"}

    assert decode_exchange(exchange({"text_input": "Hi"}, answer, path="/v2/models/llm/generate")).request_id == ""


def test_several_texts_for_triton_are_rows(exchange: Make) -> None:
    answer = {"text_output": ["a", "b"]}

    assert decode_exchange(exchange({"text_input": ["A", "B"]}, answer, path="/v2/models/llm/generate")).rows == 2


def test_an_error_after_a_200_is_a_failure_of_the_stream(exchange: Make) -> None:
    decoded = streamed(exchange, {"text_input": "Hi"}, '{"error": "no memory"}', path="/v2/models/llm/generate_stream")

    assert decoded.error is not None
    assert (decoded.error.kind, decoded.error.detail) == ("stream", "no memory")


@pytest.mark.parametrize(
    ("path", "beside"),
    [("/generate_stream", {}), ("/", {"stream": True}), ("/", {"parameters": {"max_new_tokens": 2}})],
    ids=["by path", "by the wish for a stream", "by a parameter"],
)
def test_a_stream_of_tgi_is_read(exchange: Make, path: str, beside: dict[str, object]) -> None:
    decoded = streamed(
        exchange,
        {"inputs": "Once", **beside},
        '{"token": {"text": " upon", "special": false}, "generated_text": null}',
        '{"token": {"text": "</s>", "special": true}, "generated_text": " upon", "details": {"finish_reason": "eos_token", "generated_tokens": 2}}',
        path=path,
    )

    assert decoded.protocol == "tgi"
    assert texts(decoded) == ("Once", " upon")
    assert decoded.generation is not None
    assert (decoded.generation.finish, decoded.generation.usage) == (("eos_token",), {"output": 2})


def test_a_text_that_is_to_be_classified_is_somebody_elses(exchange: Make) -> None:
    answer = [[{"label": "POS", "score": 0.9}]]

    assert decode_exchange(exchange({"inputs": "Fine"}, answer, path="/")).protocol == "huggingface"


def test_texts_in_a_list_are_read_by_the_reader_of_lists(exchange: Make) -> None:
    decoded = decode_exchange(exchange({"inputs": ["A", "B"], "stream": False}, ["a", "b"], path="/generate"))

    assert (decoded.protocol, decoded.rows) == ("huggingface", 2)


def test_what_is_no_text_is_left_to_the_reader_of_hugging_face() -> None:
    place = Place(is_prediction=True, protocol="", model="", version="", why="")

    assert len(TGI.read(Content(b"", "", (), {"inputs": ["A", "B"]}), None, place).features.values) == 2
