"""The two places where BentoML has the values of one request in its hands: reading its input and writing its output."""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncGenerator, Generator, Iterable
from typing import Any, cast

from dashlight import note_loss
from dashlight_bentoml.call import SILENT, Call, call_of, current
from dashlight_bentoml.foreign import Method, Request, Spec
from dashlight_bentoml.tables import with_rows

logger = logging.getLogger(__name__)

_MARK = "__dashlight_watched__"
_COPIED = ("media_type", "multipart_fields", "__root_input__")
"""What BentoML sets on a spec after it has been made."""


def watch_method(method: Method) -> None:
    """Has *method* tell each call what it is given and what it answers; where that cannot be, the bytes are read."""
    try:
        if getattr(method.input_spec, _MARK, False):
            return
        watched = _watching_input(method), _watching_output(method)
    except Exception:
        logger.exception("API %s is read from its bytes alone: its specs cannot be watched", method.name)
        return
    method.input_spec, method.output_spec = watched


def _watching_input(method: Method) -> Spec:
    spec, is_batchable = method.input_spec, method.batchable

    async def from_http_request(_: type, request: Request, serde: Any) -> Any:
        # By the spec itself, so that the API gets objects of the very class that it would get without us.
        read = await spec.from_http_request(request, serde)
        call = call_of(request)
        if call is not None and call.is_watched():
            _give_inputs(call, read, serde)
            if is_batchable and not call.is_task:
                current.set(SILENT)
        return read

    return _subclass(spec, from_http_request=classmethod(cast("Any", from_http_request)))


def _watching_output(method: Method) -> Spec:
    spec = method.output_spec

    async def to_http_response(_: type, output: Any, serde: Any) -> Any:
        call: Call | None = getattr(serde, "dashlight_call", None)
        return await spec.to_http_response(output if call is None else _given_output(call, output), serde)

    return _subclass(spec, to_http_response=classmethod(cast("Any", to_http_response)))


def _subclass(spec: Spec, **methods: object) -> Spec:
    """A class below *spec* that differs in *methods* alone; one of our own, because two APIs may share a spec."""
    made = type(spec)(spec.__name__, (spec,), {"__module__": spec.__module__, "__doc__": spec.__doc__, **methods})
    made.__qualname__ = spec.__qualname__
    for name in _COPIED:
        if hasattr(spec, name):
            setattr(made, name, getattr(spec, name))
    setattr(made, _MARK, True)
    return made


def _give_inputs(call: Call, read: Any, serde: Any) -> None:
    try:
        # By this object the answer finds its call: it is one request's alone, and batches cross all contexts.
        serde.dashlight_call = call
        names: Iterable[str] = cast("Any", type(read)).model_fields
        fields: dict[str, object] = {name: getattr(read, name) for name in names}
        # Of a single positional parameter the value is the input itself; what **kwargs took stands beside the rest.
        if fields.keys() == {"root"}:
            given: object = fields["root"]
        else:
            beside = fields.pop("kwargs", None)
            given = {**fields, **cast("dict[str, object]", beside)} if isinstance(beside, dict) else fields
        asked = call.stills.of(given)
        rows = with_rows(asked)
        call.asked = asked if rows is asked else None
        call.give(inputs=rows)
    except Exception as error:  # a value that nobody foresaw must not cost its request
        note_loss(type(error).__name__)


def _given_output(call: Call, output: Any) -> Any:
    """*output*, or what stands for it and counts what passes, where it is a stream."""
    if inspect.isasyncgen(output):
        return _tapped(call, cast("AsyncGenerator[Any]", output))
    if inspect.isgenerator(output):
        return _tapped_aside(call, cast("Generator[Any]", output))
    _give_outputs(call, output)
    return output


def _give_outputs(call: Call, output: object) -> None:
    try:
        answer = call.stills.of(output)
        rows = with_rows(call.asked, answer=answer)
        call.give(inputs=None if rows is call.asked else rows, outputs=answer)
    except Exception as error:
        note_loss(type(error).__name__)


async def _tapped(call: Call, items: AsyncGenerator[Any]) -> AsyncGenerator[Any]:
    count, last = 0, None
    try:
        async for item in items:
            count, last = count + 1, item
            yield item
    except Exception:
        _note_break(call, count)
        raise
    finally:
        await items.aclose()
    _give_stream(call, count, last)


def _tapped_aside(call: Call, items: Generator[Any]) -> Generator[Any]:
    count, last = 0, None
    try:
        for item in items:
            count, last = count + 1, item
            yield item
    except Exception:
        _note_break(call, count)
        raise
    finally:
        items.close()
    _give_stream(call, count, last)


def _note_break(call: Call, count: int) -> None:
    """A stream that breaks after its first item ends like a whole one, with a status that says nothing of it."""
    if count:
        call.give(failure="stream")


def _give_stream(call: Call, count: int, last: object) -> None:
    # Text may be spoken in a protocol of its own, which is read from the bytes.
    if isinstance(last, str | bytes):
        return
    try:
        final = call.stills.of(last)
        told = cast("dict[str, object]", final) if isinstance(final, dict) else {"last": final}
        call.give(outputs={**told, "items": count})
    except Exception as error:
        note_loss(type(error).__name__)
