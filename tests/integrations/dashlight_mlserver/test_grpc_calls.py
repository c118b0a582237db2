"""gRPC calls below the middleware: seen as exchanges, and the same to whoever calls and answers them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from dashlight.runtime.assembly import assemble
from dashlight.runtime.process import process
from dashlight.testing import MemoryExporter
from dashlight_mlserver.grpc_calls import UNWATCHED, watched_infer
from dashlight_mlserver.grpc_streams import MOST_MESSAGES, watched_stream

PATIENCE_SECONDS = 20.0
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
Events = Callable[[], list[dict[str, Any]]]


class Context:
    """The context of a call, as grpc.aio hands it to a servicer."""

    def __init__(self, *metadata: tuple[str, str | bytes]) -> None:
        self._metadata = metadata

    def invocation_metadata(self) -> tuple[tuple[str, str | bytes], ...] | None:
        return self._metadata or None


class AbortError(Exception):
    """What `context.abort` raises."""


class RefusedError(Exception):
    """An error of the server's own, which has a status."""

    status_code = 422


def tensor(name: str, *values: float) -> Any:
    contents = SimpleNamespace(ListFields=lambda: [("fp64_contents", values)])
    return SimpleNamespace(name=name, datatype="FP64", shape=[len(values)], contents=contents)


def asked(*values: float) -> Any:
    return SimpleNamespace(
        model_name="prices", model_version="", inputs=[tensor("rooms", *values)], raw_input_contents=[]
    )


def answered(*values: float) -> Any:
    return SimpleNamespace(model_version="3", outputs=[tensor("price", *values)], raw_output_contents=[])


def infer(call: Callable[[], Any], context: Context | None = None, request: Any = None) -> Any:
    """The answer of a servicer that does *call*, watched."""

    async def answer(servicer: object, request: Any, context: Any) -> Any:
        return await call() if asyncio.iscoroutinefunction(call) else call()

    return asyncio.run(watched_infer(answer)(None, request or asked(2.0), context or Context()))  # type: ignore[arg-type]


def aborting(reason: Exception) -> Callable[[], Any]:
    def abort() -> Any:
        try:
            raise reason  # noqa: TRY301 - as MLServer does: the one is raised while the other is being handled
        except Exception:
            raise AbortError from None

    return abort


async def sent(*requests: Any) -> AsyncIterator[Any]:
    for request in requests:
        yield request


def stream(
    answers: Callable[[Any], AsyncIterator[Any]],
    *requests: Any,
    leave_after: int | None = None,
    context: Context | None = None,
) -> list[Any]:
    """What a servicer that *answers* says to *requests*, watched, to a client that leaves after so many."""

    async def answer(servicer: object, requests: Any, context: Any) -> AsyncIterator[Any]:
        async for response in answers(requests):
            yield response

    async def read() -> list[Any]:
        found: list[Any] = []
        generator: Any = watched_stream(answer)(None, sent(*requests), context or Context())
        async for response in generator:
            found.append(response)
            if len(found) == leave_after:
                break
        await generator.aclose()
        return found

    return asyncio.run(read())


@pytest.fixture
def events(fresh_process: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Events]:
    """Gives the attributes of all events of predictions, by a Monitor that lets everything out."""
    settings = {"COLLECTOR": "http://collector", "SAMPLE_RATE": "1", "PAYLOADS": "features"}
    for name, value in settings.items():
        monkeypatch.setenv(f"DASHLIGHT_{name}", value)
    exporter = MemoryExporter()
    monitor = assemble(os.environ, None, connect=exporter.connect)
    assert monitor is not None
    assert monitor.ready.wait(PATIENCE_SECONDS)
    process.monitor = monitor

    def seen() -> list[dict[str, Any]]:
        assert monitor.flush(PATIENCE_SECONDS) == 0
        assert monitor.capture.inbox.in_flight_count == 0
        return [
            {**event["attributes"], "trace_id": event.get("trace_id")}
            for event in exporter.events("dashlight.prediction")
        ]

    yield seen
    monitor.close()


def losses() -> dict[str, int]:
    assert process.monitor is not None
    return process.monitor.capture.failures


def facts(event: dict[str, Any]) -> tuple[Any, ...]:
    return (event["dashlight.outcome"], event.get("http.response.status_code"), event.get("error.type"))


def test_a_call_is_an_exchange_of_its_model(events: Events) -> None:
    answer = answered(2000.0)

    assert infer(lambda: answer) is answer

    (event,) = events()
    assert facts(event) == ("ok", 200, None)
    assert event["http.route"] == "/inference.GRPCInferenceService/ModelInfer"
    assert (event["dashlight.model.name"], event["dashlight.model.version"]) == ("prices", "3")
    assert (event["dashlight.inputs"], event["dashlight.outputs"]) == ({"rooms": 2}, {"price": 2000})
    assert losses() == {}


def test_metadata_that_is_text_goes_along_as_headers(events: Events) -> None:
    context = Context(("picture-bin", b"\x00"), ("traceparent", f"00-{TRACE_ID}-00f067aa0ba902b7-01"))

    infer(lambda: answered(1.0), context)

    assert [event["trace_id"] for event in events()] == [TRACE_ID]


def test_the_reason_of_an_abort_is_told_and_the_abort_is_what_the_caller_gets(events: Events) -> None:
    with pytest.raises(AbortError) as raised:
        infer(aborting(LookupError("no such town")))

    assert isinstance(raised.value.__context__, LookupError)
    assert list(map(facts, events())) == [("error", 500, "LookupError")]


def test_an_error_without_a_reason_is_told_itself(events: Events) -> None:
    def fail() -> Any:
        raise OSError

    with pytest.raises(OSError, match=r"^$"):
        infer(fail)

    assert list(map(facts, events())) == [("error", 500, "OSError")]


def test_an_error_of_the_servers_own_has_its_status(events: Events) -> None:
    with pytest.raises(AbortError):
        infer(aborting(RefusedError("rooms below zero")))

    assert list(map(facts, events())) == [("refused", 422, None)]


def test_a_call_that_its_client_gives_up_is_cancelled(events: Events) -> None:
    async def hang() -> Any:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        infer(hang)

    assert [event["dashlight.outcome"] for event in events()] == ["cancelled"]


def test_without_a_monitor_a_call_is_left_alone(fresh_process: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHLIGHT_ENABLED", "false")
    answer = answered(1.0)

    assert infer(lambda: answer) is answer


def test_what_is_no_request_of_v2_is_left_to_the_servicer(events: Events) -> None:
    answer = answered(1.0)

    assert infer(lambda: answer, request=object()) is answer
    assert losses() == {UNWATCHED: 1}


def test_a_context_without_metadata_to_read_costs_the_watching_alone(events: Events) -> None:
    async def answer(requests: Any) -> AsyncIterator[Any]:
        yield response

    response, broken = answered(1.0), Context(("traceparent",))  # type: ignore[arg-type]

    assert infer(lambda: response, broken) is response
    assert stream(answer, asked(1.0), context=broken) == [response]
    assert events() == []
    assert losses() == {UNWATCHED: 2}


def test_a_stream_is_one_exchange(events: Events) -> None:
    answers = [answered(1.0), answered(2.0), answered(3.0)]

    async def answer(requests: Any) -> AsyncIterator[Any]:
        async for request in requests:
            assert request.model_name == "prices"
        for each in answers:
            yield each

    assert stream(answer, asked(1.0, 2.0), asked(3.0)) == answers

    (event,) = events()
    assert facts(event) == ("ok", 200, None)
    assert event["http.route"] == "/inference.GRPCInferenceService/ModelStreamInfer"
    assert (event["dashlight.model.name"], event["dashlight.model.version"]) == ("prices", "3")
    assert (event["dashlight.inputs"], event["dashlight.outputs"]) == ({"rooms": [1, 2, 3]}, {"price": [1, 2, 3]})
    assert losses() == {}


def test_a_stream_without_requests_or_answers_is_counted(events: Events) -> None:
    async def answer(requests: Any) -> AsyncIterator[Any]:
        async for request in requests:
            yield request

    assert stream(answer) == []

    assert list(map(facts, events())) == [("ok", 200, None)]


@pytest.mark.parametrize(
    ("reason", "count", "told"),
    [
        (LookupError(), 0, ("error", 500, "LookupError")),
        (RefusedError(), 0, ("refused", 422, None)),
        (RefusedError(), 1, ("error", 200, "RefusedError")),
    ],
    ids=["before the first answer", "refused", "after an answer"],
)
def test_a_stream_that_fails_says_why(events: Events, reason: Exception, count: int, told: tuple[Any, ...]) -> None:
    async def answer(requests: Any) -> AsyncIterator[Any]:
        async for _ in requests:
            pass
        for _ in range(count):
            yield answered(1.0)
        aborting(reason)()

    with pytest.raises(AbortError):
        stream(answer, asked(1.0))

    assert list(map(facts, events())) == [told]


def test_a_stream_that_its_client_leaves_is_cancelled(events: Events) -> None:
    async def answer(requests: Any) -> AsyncIterator[Any]:
        while True:
            yield answered(1.0)

    assert len(stream(answer, leave_after=2)) == 2

    assert [event["dashlight.outcome"] for event in events()] == ["cancelled"]


def test_of_a_long_stream_the_first_messages_are_kept(events: Events) -> None:
    async def answer(requests: Any) -> AsyncIterator[Any]:
        async for _ in requests:
            yield answered(1.0)

    count = MOST_MESSAGES + 3
    assert len(stream(answer, *[asked(1.0)] * count)) == count

    (event,) = events()
    assert event["dashlight.rows"] == MOST_MESSAGES


@pytest.fixture
def excluding(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Excludes the service, once a Monitor is made; the statuses that are counted of what is excluded."""
    monkeypatch.setenv("DASHLIGHT_EXCLUDED_URLS", "^/inference")
    return []


def test_of_calls_that_are_excluded_only_the_requests_are_counted(excluding: list[int], events: Events) -> None:
    assert process.monitor is not None
    process.monitor.capture.inbox.put_excluded = lambda exchange: excluding.append(exchange.status)  # type: ignore[method-assign]
    answer = answered(2000.0)

    async def answers(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for _ in requests:
            yield answer

    assert infer(lambda: answer) is answer
    assert stream(answers, asked(1.0), asked(2.0)) == [answer, answer]

    assert excluding == [200, 200]
    assert events() == []
    assert losses() == {}
