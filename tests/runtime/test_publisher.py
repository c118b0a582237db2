"""What leaves of exchanges with language models: spans and events, as the environment asks for them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from dashlight.runtime.assembly import assemble
from dashlight.runtime.monitor import Monitor
from dashlight.testing import MemoryExporter

PATIENCE_SECONDS = 20.0
ENVIRONMENT = {
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector",
    "DASHLIGHT_SAMPLE_RATE": "1",
    "DASHLIGHT_PANE": "1h",
    "DASHLIGHT_MODEL": "fallback",
}
OPT_IN = {"OTEL_SEMCONV_STABILITY_OPT_IN": "http, gen_ai_latest_experimental"}
ASKED = {"model": "m", "messages": [{"role": "user", "content": "the question"}], "stream": True, "max_tokens": 9}
PIECES = [
    {"id": "c-1", "model": "m-1", "choices": [{"index": 0, "delta": {"content": "the "}}]},
    {"id": "c-1", "model": "m-1", "choices": [{"index": 0, "delta": {"content": "answer"}, "finish_reason": "stop"}]},
    {"id": "c-1", "model": "m-1", "choices": [], "usage": {"prompt_tokens": 4, "completion_tokens": 2}},
]
CHAT, STREAM = b"application/json", b"text/event-stream"


def events_of(*pieces: object) -> list[bytes]:
    return [f"data: {json.dumps(piece)}\n\n".encode() for piece in pieces]


class Service:
    """Monitors that deliver to one collector in memory."""

    def __init__(self) -> None:
        self.exporter = MemoryExporter()
        self.monitors: list[Monitor] = []

    def __call__(self, environ: dict[str, str], asked: object, answered: list[bytes], kind: bytes = STREAM) -> None:
        """Serves one chat in a process of this environment, and delivers what there is to say of it."""

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
            for piece in answered:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body"})

        monitor = assemble({**ENVIRONMENT, **environ}, app, connect=self.exporter.connect)
        assert monitor is not None
        self.monitors.append(monitor)
        assert monitor.ready.wait(PATIENCE_SECONDS)
        asyncio.run(self._request(monitor, app, json.dumps(asked).encode()))
        assert monitor.flush(PATIENCE_SECONDS) == 0

    async def _request(self, monitor: Monitor, app: Any, body: bytes) -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            pass

        scope = {
            "type": "http", "method": "POST", "path": "/v1/chat/completions", "query_string": b"",
            "headers": [(b"content-type", b"application/json")],
        }  # fmt: skip
        tee = monitor.open(scope, receive, send)
        assert tee is not None
        await app(scope, tee.receive, tee.send)
        tee.close()

    def said(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The attributes of the one event and of the one span."""
        (event,), (span,) = self.exporter.events("dashlight.prediction"), self.exporter.spans
        assert (event["trace_id"], event["span_id"]) == (span["trace_id"], span["span_id"])
        return (event["attributes"], span["attributes"])


@pytest.fixture
def serve() -> Iterator[Service]:
    """Serves chats, and closes the monitors with the test."""
    made = Service()
    yield made
    for monitor in made.monitors:
        monitor.close()


def test_with_the_opt_in_span_and_event_speak_of_language_models(serve: Service) -> None:
    serve(OPT_IN, ASKED, events_of(*PIECES))

    event, span = serve.said()
    expected = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "m",
        "gen_ai.request.max_tokens": 9,
        "gen_ai.request.stream": True,
        "gen_ai.response.model": "m-1",
        "gen_ai.response.id": "c-1",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 4,
        "gen_ai.usage.output_tokens": 2,
    }
    for attributes in (event, span):
        genai = {name: value for name, value in attributes.items() if name.startswith("gen_ai.")}
        assert genai.pop("gen_ai.response.time_to_first_chunk") >= 0
        assert genai == expected
    assert span["dashlight.rows"] == 1
    assert span["url.path"] == "/[redacted]"


def test_without_it_the_event_says_it_in_our_words_alone(serve: Service) -> None:
    serve({}, ASKED, events_of(*PIECES))

    event, span = serve.said()
    ours = {name: value for name, value in event.items() if name.startswith("dashlight.llm.")}
    assert ours.pop("dashlight.llm.time_to_first_token") >= 0
    assert ours.pop("dashlight.llm.time_per_output_token") >= 0
    assert ours == {
        "dashlight.llm.operation": "chat",
        "dashlight.llm.streamed": True,
        "dashlight.llm.input_tokens": 4,
        "dashlight.llm.output_tokens": 2,
        "dashlight.llm.finish_reasons": ["stop"],
    }
    assert not [name for attributes in (event, span) for name in attributes if name.startswith("gen_ai.")]


@pytest.mark.parametrize("environ", [{}, OPT_IN], ids=["without the opt-in", "with it"])
def test_nothing_that_was_said_leaves(serve: Service, environ: dict[str, str]) -> None:
    serve(environ, ASKED, events_of(*PIECES))

    serve.said()
    assert not [body for body in serve.exporter.bodies if b"question" in body or b"answer" in body]


def test_an_error_within_a_stream_is_one_and_its_facts_are_told(serve: Service) -> None:
    serve(
        {**OPT_IN, "DASHLIGHT_PAYLOADS": "features"}, ASKED, events_of(PIECES[0], {"error": {"message": "overloaded"}})
    )

    event, span = serve.said()
    assert event["error.type"]
    assert event["dashlight.model.name"] == span["dashlight.model.name"] == "fallback"
    assert event["gen_ai.request.model"] == "m"
    assert not {"dashlight.inputs", "dashlight.rows"} & event.keys()


def test_an_exchange_with_another_model_says_none_of_it(serve: Service) -> None:
    serve(OPT_IN, {"age": 3}, [b'{"score": 1}'], CHAT)

    event, span = serve.said()
    assert not [
        name for attributes in (event, span) for name in attributes if name.startswith(("gen_ai", "dashlight.llm"))
    ]


def test_events_carry_the_listed_columns_alone(serve: Service) -> None:
    listed = {
        "DASHLIGHT_FEATURES": "input_*",
        "DASHLIGHT_PREDICTION": "finish_reason",
        "DASHLIGHT_IGNORE": "*_text,*share",
    }

    serve({**listed, "DASHLIGHT_PAYLOADS": "features"}, ASKED, events_of(*PIECES))

    event, _ = serve.said()
    assert event["dashlight.inputs"] == {"input_characters": 12, "input_tokens": 4}
    assert event["dashlight.outputs"] == {"finish_reason": "stop"}
