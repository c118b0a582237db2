from collections.abc import Callable

import pytest

from dashlight.decode.batch import Decoder
from dashlight.decode.exchange import decode_exchange
from dashlight.decode.protocols.openai_chat import PROTOCOL
from dashlight.records import Exchange

Make = Callable[..., Exchange]
ASKED = {"model": "m", "messages": [{"role": "user", "content": "Name a colour"}]}
ANSWERED = {"id": "c-1", "model": "m", "choices": [{"message": {"content": "Blue."}, "finish_reason": "stop"}]}


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/v1/chat/completions", "m"),
        ("/openai/v1/chat/completions", "m"),
        ("/chat/completions/", "m"),
        ("/openai/deployments/gpt/chat/completions", "gpt"),
        ("/ask", "m"),
    ],
)
def test_chats_are_known_by_path_or_by_their_messages(exchange: Make, path: str, model: str) -> None:
    decoded = decode_exchange(exchange(ASKED, ANSWERED, path=path))

    assert (decoded.protocol, decoded.model, decoded.rows, decoded.request_id) == ("openai_chat", model, 1, "c-1")
    assert decoded.generation is not None
    assert (decoded.generation.input_text, decoded.generation.output_text) == ("Name a colour", "Blue.")
    assert decoded.roles["output_text"] == "text"


@pytest.mark.parametrize(
    "value", [{}, {"messages": []}, {"messages": ["hi"]}, {"messages": [{"text": "hi"}]}], ids=repr
)
def test_other_messages_are_somebody_elses(value: object) -> None:
    assert not PROTOCOL.claims(value)


def test_a_chat_without_messages_is_counted_as_undecodable(exchange: Make) -> None:
    assert (
        decode_exchange(exchange({"model": "m"}, ANSWERED, path="/v1/chat/completions")).undecodable == "unknown_layout"
    )


def test_a_refused_request_has_no_outputs(exchange: Make) -> None:
    envelope = {"error": {"message": "Rate limit reached", "code": "rate_limit_exceeded"}}
    decoded = decode_exchange(exchange(ASKED, envelope, path="/v1/chat/completions", status=429))

    assert decoded.outputs is None
    assert decoded.error is not None
    assert decoded.error.kind == "client"
    assert "rate_limit_exceeded" in decoded.error.detail


def test_whole_and_streamed_answers_fill_the_same_columns(exchange: Make) -> None:
    stream = b'data: {"choices": [{"delta": {"content": "Blue."}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    path = "/v1/chat/completions"
    streamed = exchange(ASKED, stream, path=path, answer_headers={"content-type": "text/event-stream"})
    batch = Decoder(model="", version="").decode([exchange(ASKED, ANSWERED, path=path), streamed])

    (prediction,) = batch.predictions
    texts = dict(zip(prediction.outputs.cell_names, prediction.outputs.cells, strict=True))
    assert list(texts["output_text"]) == ["Blue.", "Blue."]
    assert list(texts["finish_reason"]) == ["stop", "stop"]
    place = prediction.outputs.number_names.index("output_characters")
    assert prediction.outputs.numbers[place].tolist() == [5.0, 5.0]
