from collections.abc import Callable

import pytest

from dashlight.decode.exchange import decode_exchange
from dashlight.records import Exchange

Make = Callable[..., Exchange]
ASKED = {"max_tokens": 50, "system": "Be brief", "messages": [{"role": "user", "content": "Weather?"}]}
ANSWERED = {"id": "m-1", "type": "message", "model": "c", "content": [{"type": "text", "text": "Cold."}]}
START = b'event: message_start\ndata: {"type": "message_start", "message": {"id": "m-1", "model": "c"}}\n\n'
ERROR = b'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}\n\n'


@pytest.mark.parametrize(
    ("path", "beside"),
    [
        ("/v1/messages", {"model": "c"}),
        ("/anthropic/v1/messages", {"model": "c"}),
        ("/models/c:rawPredict", {}),
        ("/model/c/invoke", {"anthropic_version": "bedrock-2023-05-31"}),
    ],
)
def test_messages_are_known_by_path_or_version(exchange: Make, path: str, beside: dict[str, str]) -> None:
    decoded = decode_exchange(exchange({**ASKED, **beside}, ANSWERED, path=path))

    assert (decoded.protocol, decoded.model, decoded.request_id) == ("anthropic", "c", "m-1")
    assert decoded.params == {"max_tokens": 50}
    assert decoded.generation is not None
    assert (decoded.generation.input_text, decoded.generation.output_text) == ("Weather?", "Cold.")


def test_an_error_event_in_a_200_is_a_failure(exchange: Make) -> None:
    headers = {"content-type": "text/event-stream"}
    decoded = decode_exchange(exchange(ASKED, START + ERROR, path="/v1/messages", answer_headers=headers))

    assert decoded.error is not None
    assert decoded.error.kind == "stream"
    assert "Overloaded" in decoded.error.detail
    assert decoded.outputs is None
