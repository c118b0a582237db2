"""The middleware of a service, in an app that is laid out as BentoML lays out its own (1.4, `_bentoml_impl/server/app.py`)."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import suppress
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

import dashlight_bentoml
from dashlight_bentoml import watch, zero_code
from dashlight_bentoml.call import SILENT, current
from dashlight_bentoml.foreign import factory_of
from dashlight_bentoml.middleware import ServiceMiddleware
from dashlight_bentoml.outermost import Outermost, install
from dashlight_bentoml.refusals import watch_endpoints
from dashlight_bentoml.spans import join_spans


class Spec(BaseModel):
    """A spec of BentoML's, as far as it reads and writes."""

    x: float = 0.0

    @classmethod
    async def from_http_request(cls, request: Any, serde: Any) -> Any:
        return cls.model_validate(await request.json())

    @classmethod
    async def to_http_response(cls, output: Any, serde: Any) -> Response:
        if hasattr(output, "__aiter__"):
            return StreamingResponse((str(item) async for item in output), media_type="text/plain")
        if isinstance(output, Generator):
            return StreamingResponse(map(str, output), media_type="text/plain")
        return JSONResponse({"answer": output})


class Service:
    """What `@bentoml.service` makes, as far as it is touched."""

    def __init__(self, name: str = "Prices", **functions: Callable[[Spec], Any]) -> None:
        self.name, self.functions, self.bento = name, functions, None
        self.middlewares: list[tuple[type, dict[str, Any]]] = []
        self.others: list[Service] = []
        self.apis = {
            name: SimpleNamespace(
                name=name, route=f"/{name}", input_spec=Spec, output_spec=Spec,
                batchable=name.startswith("batch"), is_task=name.startswith("task"),
            )
            for name in functions
        }  # fmt: skip

    def all_services(self) -> dict[str, Any]:
        return {each.name: each for each in (self, *self.others)}


class Factory:
    """Answers the routes of a service as BentoML's does."""

    def __init__(self, service: Any, *, timeout: float = 5.0, is_full: bool = False) -> None:
        self.service, self.timeout, self.is_full = service, timeout, is_full
        self.layer: Any = None

    async def api_endpoint_wrapper(self, name: str, request: Request) -> Response:
        try:
            return await self.api_endpoint(name, request)
        except Exception:
            return JSONResponse({"error": "sorry"}, status_code=500)

    async def api_endpoint(self, name: str, request: Request) -> Response:
        method, serde = self.service.apis[name], SimpleNamespace()
        read = await method.input_spec.from_http_request(request, serde)
        output = self.service.functions[name](read)
        if inspect.iscoroutine(output):
            output = await output
        response: Response = await method.output_spec.to_http_response(output, serde)
        return response

    async def submit(self, name: str, request: Request) -> Response:
        if request.query_params.get("lost"):
            return JSONResponse({"error": "no store"}, status_code=500)
        # A task that is tried again comes with a request of its own, which was kept.
        again = Request({key: value for key, value in request.scope.items() if "bento" not in key}, request.receive)
        kept = again if request.url.path.endswith("retry") else request
        work = BackgroundTask(self.api_endpoint_wrapper_of, name, kept)
        return JSONResponse({"task_id": "1"}, background=work)

    async def api_endpoint_wrapper_of(self, name: str, request: Request) -> None:
        await self.api_endpoint_wrapper(name, request)

    async def status(self, request: Request) -> Response:
        return JSONResponse({"status": "in_progress"})

    def app(self) -> Starlette:
        routes: list[Route] = []
        for name, method in self.service.apis.items():
            path = method.route
            routes.append(Route(path, partial(self.api_endpoint_wrapper, name), methods=["POST"]))
            routes += [
                Route(f"{path}/{word}", partial(self.submit, name), methods=["POST"]) for word in ("submit", "retry")
            ]
            routes.append(Route(f"{path}/status", self.status))
        return Starlette(
            routes=routes,
            middleware=[
                Middleware(Traced),
                Middleware(Outside, factory=self),
                *(Middleware(kind, **options) for kind, options in self.service.middlewares),
            ],
        )


class Traced:
    """As OpenTelemetry's, as far as it is touched: a tracer, and a hook that asks for the span's own context."""

    def __init__(self, app: Any) -> None:
        self.app, self.tracer = app, TracerProvider().get_tracer("bentoml")
        self.ids: list[int] = []

    def server_request_hook(self, span: Any, scope: Any) -> None:
        self.ids.append(span.context.span_id)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_traced(message: Any) -> None:
            with self.tracer.start_as_current_span("http send"):
                await send(message)

        with self.tracer.start_as_current_span(scope["path"]) as span:
            self.server_request_hook(span, scope)
            await self.app(scope, receive, send_traced)


class OpenTelemetryMiddleware(Traced):
    """By its name it is found."""


class Outside:
    """BentoML's limits of time and concurrency."""

    def __init__(self, app: Any, factory: Factory) -> None:
        self.app, self.factory = app, factory

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif self.factory.is_full:
            await JSONResponse({"error": "Too many requests"}, status_code=429)(scope, receive, send)
        else:
            serving = asyncio.ensure_future(self.app(scope, receive, send))
            done, _ = await asyncio.wait([serving], timeout=self.factory.timeout)
            if done:
                await serving
                return
            serving.cancel()
            await JSONResponse({"error": "late"}, status_code=504)(scope, receive, send)
            with suppress(asyncio.CancelledError):
                await serving


async def ask(app: Any, path: str, body: bytes = b'{"x": 2}', *, method: str = "POST", query: bytes = b"") -> list[Any]:
    """The messages with which a request is answered."""
    sent: list[Any] = []
    pieces = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> dict[str, Any]:
        for piece in pieces:
            return piece
        return await asyncio.Future()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "query_string": query, "headers": [], "root_path": ""}
    await app(scope, receive, send)
    return sent


async def live(app: Any) -> None:
    """The start of an app, and its end."""
    messages = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> dict[str, Any]:
        return {"type": next(messages)}

    async def send(message: Any) -> None:
        pass

    await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)


def started(service: Service, **limits: Any) -> Starlette:
    """The app of a watched service that has started up."""
    app = Factory(watch(service), **limits).app()
    asyncio.run(live(app))
    return app


def facts(event: dict[str, Any]) -> tuple[object, ...]:
    return tuple(
        event.get(name)
        for name in ("http.route", "http.response.status_code", "dashlight.outcome", "dashlight.inputs", "dashlight.outputs")
    )  # fmt: skip


def double(read: Spec) -> float:
    return 2 * read.x


def test_an_api_tells_what_it_was_given_and_what_it_answers(collected: Any) -> None:
    app = started(Service(double=double))

    sent = asyncio.run(ask(app, "/double"))

    assert sent[1]["body"] == b'{"answer":4.0}'
    event = collected.event()
    assert facts(event) == ("/double", 200, "ok", {"x": 2.0}, {"prediction": 4.0})
    assert event["dashlight.model.name"] == "Prices"


def test_settings_name_the_model_before_the_bento_does(collected: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    service, named = Service(double=double), Service(double=double)
    service.bento = named.bento = SimpleNamespace(  # type: ignore[assignment]
        tag=SimpleNamespace(name="houses", version="v7"), info=SimpleNamespace(services=[1])
    )
    asyncio.run(ask(started(service), "/double"))
    monkeypatch.setenv("DASHLIGHT_MODEL", "mine")
    asyncio.run(ask(started(named), "/double"))

    names = [(event.get("dashlight.model.name"), event.get("dashlight.model.version")) for event in collected.events()]
    assert names == [("houses", "v7"), (None, "v7")]


def test_one_of_several_services_of_a_bento_goes_by_its_own_name(collected: Any) -> None:
    service = Service("Inner", double=double)
    service.bento = SimpleNamespace(  # type: ignore[assignment]
        tag=SimpleNamespace(name="houses", version=None), info=SimpleNamespace(services=[1, 2])
    )

    asyncio.run(ask(started(service), "/double"))

    assert collected.event()["dashlight.model.name"] == "Inner"


def test_what_is_turned_away_outside_is_counted_with_the_ids_of_its_span(collected: Any) -> None:
    app = started(Service(double=double), is_full=True)

    asyncio.run(ask(app, "/double"))

    event = collected.event()
    layer: Any = app.middleware_stack
    assert facts(event)[:3] == ("/double", 429, "ok")
    (exported,) = collected.exporter.events("dashlight.prediction")
    assert int(exported["span_id"], 16) == layer._app.app.ids[0]


def test_without_a_lifespan_the_outermost_stands_after_the_first_request(collected: Any) -> None:
    factory = Factory(watch(Service(double=double)))
    app = factory.app()

    asyncio.run(ask(app, "/double"))
    factory.is_full = True
    asyncio.run(ask(app, "/double"))

    assert [facts(event)[1] for event in collected.events()] == [200, 429]


def test_beyond_the_timeout_it_is_counted_once_as_the_client_was_told(collected: Any) -> None:
    async def slow(read: Spec) -> float:
        await asyncio.sleep(60)
        return 0.0

    sent = asyncio.run(ask(started(Service(slow=slow), timeout=0.05), "/slow"))

    assert sent[0]["status"] == 504
    assert facts(collected.event())[:3] == ("/slow", 504, "error")


def test_an_api_that_answers_its_own_cancellation_is_told_as_the_client_was(collected: Any) -> None:
    async def stubborn(read: Spec) -> float:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise LookupError from None
        return 0.0

    asyncio.run(ask(started(Service(stubborn=stubborn), timeout=0.05), "/stubborn"))

    assert facts(collected.event())[:3] == ("/stubborn", 504, "error")


def test_a_cancellation_that_answers_nobody_stays_one(collected: Any) -> None:
    def cancel(read: Spec) -> float:
        raise asyncio.CancelledError

    with suppress(asyncio.CancelledError):
        asyncio.run(ask(started(Service(cancel=cancel)), "/cancel"))

    assert facts(collected.event())[2] == "cancelled"


def test_a_call_within_the_service_is_no_exchange_of_its_own(collected: Any) -> None:
    apps: list[Any] = []

    async def outer(read: Spec) -> str:
        return str((await ask(apps[0], "/double"))[1]["body"])

    apps.append(started(Service(outer=outer, double=double)))
    asyncio.run(ask(apps[0], "/outer"))

    assert facts(collected.event())[::3] == ("/outer", {"x": 2.0})
    assert current.get() is None


def test_a_request_that_begins_while_an_ended_one_is_current_is_one_of_its_own(collected: Any) -> None:
    app = started(Service(double=double))

    async def pipelined() -> None:
        contexts: list[Any] = []

        async def keep(scope: Any, receive: Any, send: Any) -> None:
            contexts.append(current.get())

        service: Any = Service()
        await ServiceMiddleware(keep, service)(
            {"type": "http", "method": "POST", "path": "/a", "headers": [], "query_string": b""}, None, None  # type: ignore[arg-type]
        )  # fmt: skip
        current.set(contexts[0])
        await ask(app, "/double")

    asyncio.run(pipelined())

    assert [facts(event)[0] for event in collected.events() if facts(event)[0] == "/double"] == ["/double"]


def test_within_a_batch_no_request_is_the_current_one(collected: Any) -> None:
    seen: list[object] = []

    def batch(read: Spec) -> float:
        seen.append(current.get())
        return read.x

    asyncio.run(ask(started(Service(batch=batch)), "/batch"))

    assert seen == [SILENT]
    assert facts(collected.event())[3:] == ({"x": 2.0}, {"prediction": 2.0})


@pytest.mark.parametrize("word", ["submit", "retry"])
def test_a_task_is_one_exchange_when_its_work_is_done(collected: Any, word: str) -> None:
    app = started(Service(task=double))

    asyncio.run(ask(app, f"/task/{word}"))
    asyncio.run(ask(app, "/task/status", method="GET", query=b"task_id=1"))

    assert facts(collected.event()) == ("/task", 200, "ok", {"x": 2.0}, {"prediction": 4.0})


def test_a_task_that_fails_and_one_that_is_not_taken_are_failures(collected: Any) -> None:
    def fail(read: Spec) -> float:
        raise LookupError

    app = started(Service(task=fail))

    asyncio.run(ask(app, "/task/submit"))
    asyncio.run(ask(app, "/task/submit", query=b"lost=1"))

    assert [facts(event)[:3] for event in collected.events()] == [("/task", 500, "error")] * 2


async def count(read: Spec) -> AsyncGenerator[Any]:
    for number in range(int(read.x)):
        yield {"n": number}


async def break_off(read: Spec) -> AsyncGenerator[Any]:
    yield {"n": 0}
    raise LookupError


async def speak(read: Spec) -> AsyncGenerator[Any]:
    yield "ab"
    yield "cd"


def count_aside(read: Spec) -> Generator[Any]:
    yield from (0.5, 1.5)


def break_aside(read: Spec) -> Generator[Any]:
    yield 0.5
    raise LookupError


@pytest.mark.parametrize(
    ("function", "outputs", "body"),
    [
        (count, {"n": 1, "items": 2}, b"{'n': 0}{'n': 1}"),
        (count_aside, {"last": 1.5, "items": 2}, b"0.51.5"),
        (speak, {"prediction": "abcd"}, b"abcd"),
    ],
    ids=["objects", "numbers of a plain generator", "text, which is read from the bytes"],
)
def test_a_stream_tells_its_last_item_and_how_many_there_were(
    collected: Any, function: Any, outputs: dict[str, object], body: bytes
) -> None:
    sent = asyncio.run(ask(started(Service(stream=function)), "/stream"))

    assert b"".join(message.get("body", b"") for message in sent) == body
    assert collected.event()["dashlight.outputs"] == outputs


@pytest.mark.parametrize("function", [break_off, break_aside])
def test_a_stream_that_breaks_is_a_failure(collected: Any, function: Any) -> None:
    with suppress(LookupError):
        asyncio.run(ask(started(Service(stream=function)), "/stream"))

    assert collected.event()["error.type"] in {"stream", "LookupError"}


def test_a_service_that_others_depend_on_is_watched_with_them_and_once() -> None:
    outer, inner = Service("Outer", double=double), Service("Inner", double=double)
    outer.others = [inner]

    assert watch(watch(outer)) is outer
    watch(inner)

    assert [len(each.middlewares) for each in (outer, inner)] == [1, 1]


def test_the_wrong_order_of_decorators_says_which_is_right() -> None:
    with pytest.raises(TypeError, match=r"watch\(Spec\): .* write @dashlight_bentoml.watch above @bentoml.service"):
        watch(Spec)


def test_a_legacy_service_is_told_of_the_line_for_it() -> None:
    class Legacy:
        name = "prices"

        def add_asgi_middleware(self, middleware: type) -> None:
            raise NotImplementedError

    with pytest.raises(TypeError, match=r"legacy .* write prices.add_asgi_middleware\(dashlight.DashlightMiddleware\)"):
        watch(Legacy())


def test_an_api_whose_specs_are_no_classes_is_left_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    service = Service(double=double)
    service.apis["double"].input_spec = spec = object()

    watch(service)

    assert service.apis["double"].input_spec is spec
    assert "read from its bytes alone" in caplog.text


class Unreadable:
    """Whose values nobody can look at."""

    @property
    def iloc(self) -> None:
        return None

    def __str__(self) -> str:
        return "?"


async def unreadable(read: Spec) -> AsyncGenerator[Any]:
    yield Unreadable()


class Several(Spec):
    """What an API with **kwargs takes."""

    kwargs: dict[str, object] = {}


def test_what_further_keywords_took_stands_beside_the_rest(collected: Any) -> None:
    service = Service(double=double)
    service.apis["double"].input_spec = Several

    asyncio.run(ask(started(service), "/double", b'{"x": 2, "kwargs": {"y": 3}}'))

    assert collected.event()["dashlight.inputs"] == {"x": 2.0, "y": 3}


class Foreign(Spec):
    """Reads what is no model of pydantic's."""

    @classmethod
    async def from_http_request(cls, request: Any, serde: Any) -> Any:
        return SimpleNamespace(x=1)

    @classmethod
    async def to_http_response(cls, output: Any, serde: Any) -> Response:
        return JSONResponse("x")


@pytest.mark.parametrize(
    ("function", "spec", "loss"),
    [
        (double, Foreign, "AttributeError"),
        (lambda _: Unreadable(), Spec, "TypeError"),
        (unreadable, Spec, "TypeError"),
    ],
    ids=["as an input", "as an output", "as the end of a stream"],
)
def test_values_that_cannot_be_copied_cost_nothing_but_themselves(
    collected: Any, function: Any, spec: type, loss: str
) -> None:
    service = Service(odd=function)
    service.apis["odd"].input_spec = spec
    service.apis["odd"].output_spec = Foreign if function is not unreadable else Spec

    sent = asyncio.run(ask(started(service), "/odd"))

    assert sent[0]["status"] == 200
    assert collected.losses == {loss: 1}


def test_of_a_path_that_is_excluded_no_value_is_looked_at(collected: Any) -> None:
    service = Service(healthz=double)
    service.apis["healthz"].input_spec = Foreign
    counted: list[int] = []
    collected.monitor.capture.inbox.put_excluded = lambda exchange: counted.append(exchange.status)

    sent = asyncio.run(ask(started(service), "/healthz"))

    assert sent[0]["status"] == 200
    assert (collected.events(), collected.losses) == ([], {})
    assert counted == [200]


def test_an_app_that_is_laid_out_otherwise_costs_a_count(collected: Any) -> None:
    install(object(), ["/double"])

    assert collected.losses == {"AttributeError": 1}


def test_endpoints_that_nobody_answers_have_nothing_to_tell() -> None:
    watch_endpoints(factory_of(SimpleNamespace(routes=[Route("/a", ask)])))


def test_exceptions_of_requests_that_are_no_calls_pass() -> None:
    factory = Factory(Service(fail=lambda _: 1 / 0))
    watch_endpoints(factory)
    watch_endpoints(factory)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def answer() -> Response:
        return await factory.api_endpoint_wrapper("fail", Request({"type": "http", "headers": []}, receive))

    assert asyncio.run(answer()).status_code == 500


def test_what_is_turned_away_where_there_are_no_spans_is_counted_too(collected: Any) -> None:
    async def refuse(scope: Any, receive: Any, send: Any) -> None:
        await JSONResponse({}, status_code=429)(scope, receive, send)

    async def websocket() -> None:
        await Outermost(nothing, ["/a"])({"type": "websocket", "path": "/a"}, nothing, nothing)
        await ServiceMiddleware(nothing, Service())({"type": "websocket", "path": "/a"}, nothing, nothing)  # type: ignore[arg-type]

    asyncio.run(ask(Outermost(refuse, ["/a"]), "/a"))
    asyncio.run(ask(Outermost(refuse, ["/a"]), "/b"))
    asyncio.run(websocket())

    assert facts(collected.event())[:2] == ("/a", 429)


async def nothing(*_: Any) -> None:
    """An app, a receive or a send that does nothing."""


def test_the_package_names_what_it_has() -> None:
    assert set(dashlight_bentoml.__all__) <= set(dir(dashlight_bentoml))
    with pytest.raises(AttributeError, match="has no attribute 'look'"):
        dashlight_bentoml.look  # noqa: B018


def test_every_service_is_watched_for_which_an_app_is_made() -> None:
    module = SimpleNamespace(ServiceAppFactory=type("ServiceAppFactory", (Factory,), {}))
    zero_code.patch(module)
    service = Service(double=double)

    module.ServiceAppFactory(service, timeout=1.0)
    module.ServiceAppFactory(object())

    assert [kind for kind, _ in service.middlewares] == [ServiceMiddleware]


def layered() -> tuple[Any, Any]:
    layer = OpenTelemetryMiddleware(None)
    return SimpleNamespace(middleware_stack=SimpleNamespace(app=layer)), layer


def test_spans_that_bentoml_exports_are_left_to_it() -> None:
    app, layer = layered()
    tracer = layer.tracer

    join_spans(app, exports=lambda: True)

    assert layer.tracer is tracer


def test_the_provider_of_the_user_makes_the_spans_of_requests() -> None:
    app, layer = layered()
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    join_spans(app, exports=lambda: False, configured=lambda: provider)
    with layer.tracer.start_as_current_span("POST /double") as span:
        layer.server_request_hook(span, {})

    assert [each.name for each in exporter.get_finished_spans()] == ["POST /double"]
    assert layer.ids == [span.get_span_context().span_id]


def test_a_span_that_is_not_sampled_gives_its_request_id_too() -> None:
    app, layer = layered()
    provider = TracerProvider(sampler=ALWAYS_OFF)

    join_spans(app, exports=lambda: False, configured=lambda: provider)
    with layer.tracer.start_as_current_span("POST /double") as span:
        layer.server_request_hook(span, {})

    assert layer.ids == [span.get_span_context().span_id]


def test_another_version_that_has_it_otherwise_costs_a_count(collected: Any) -> None:
    def missing() -> bool:
        raise ImportError

    app, _ = layered()
    join_spans(app, exports=missing)

    assert collected.losses == {"ImportError": 1}
    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
