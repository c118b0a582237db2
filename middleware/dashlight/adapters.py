"""For apps and server integrations: what they know that no message tells as well, or at all: values, labels, names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from dashlight.capture.capture import Capture
from dashlight.capture.signals import SignalValue, checked
from dashlight.capture.spans import ENDED, Opened
from dashlight.capture.tee import MARK, Tee
from dashlight.records import HandedOver
from dashlight.runtime.labels.told import told_label
from dashlight.runtime.process import process
from dashlight.types import Message

MOST_BYTES: Final = 4 * 2**20
"""Of the arrays, frames, texts and bytes of one side: what is held until the analysis has read it."""
TOO_LATE: Final = "handed_over_too_late"
TOO_LARGE: Final = "handed_over_too_large"
TOO_MUCH: Final = "handed_over_too_much"


def hand_over(
    scope: Mapping[str, Any],
    *,
    inputs: object = None,
    outputs: object = None,
    model: str = "",
    version: str = "",
    failure: str = "",
    status: int = 0,
    error: str = "",
) -> bool:
    """Gives values of the request of *scope* in place of what would be decoded from its bytes.

    To be called before the last message of the answer, once or several times; what a later call leaves out stays as it
    was. Only references are kept: the values are read on another thread within a second, and must not be changed
    until then. Nothing is raised; what was wrong is counted.

    Args:
        scope: The ASGI scope of the request, or a copy of it.
        inputs: A row as a mapping, rows as a list of mappings or of lists, an array, a data frame. None: the body.
        outputs: Likewise.
        model: Name of the model; empty: as decoded, or as DASHLIGHT_MODEL says.
        version: Its version, likewise.
        failure: `validation`, `client`, `server`, `model` or `stream` where the exchange failed and its status does not
            say so; another word is a failure of the model.
        status: What the client is told in place of the app's answer, by the server around, on a timeout say.
        error: Type of the exception that the server has made an answer of before it could leave the app.

    Returns:
        Whether it was taken; False for a request that is not watched.
    """
    try:
        opened, monitor = scope.get(MARK), process.monitor
        if not isinstance(opened, Opened) or monitor is None:
            return False
        taken = HandedOver(inputs, outputs, str(model), str(version), str(failure))
        if not _has_room(monitor.capture, opened.handed, taken):
            return False
        if not _is_empty(taken):
            opened.handed = _over(opened.handed, taken)
        if status or error:
            before_status, before_error = opened.told or (0, "")
            opened.told = (int(status) or before_status, str(error) or before_error)
    except Exception as mistake:  # an adapter's mistake must not become the app's
        note_loss(type(mistake).__name__)
        return False
    return True


def record(
    scope: Mapping[str, Any],
    *,
    status: int,
    duration_seconds: float,
    inputs: object = None,
    outputs: object = None,
    model: str = "",
    version: str = "",
    failure: str = "",
    error: str = "",
) -> bool:
    """Counts an exchange that ends now and did not pass the middleware: refused before it, or worked on after its answer.

    Its endpoint is the `path_template` of *scope*, which is copied; without one what a router has left in it, and of a
    scope that no router saw its path, where an `endpoint` stands beside it. It belongs to the current span. Nothing is
    raised.

    Args:
        scope: The ASGI scope of its request, or one made for it; of one that was watched, a copy.
        status: What the client was told, or would have been.
        duration_seconds: How long it took.
        inputs: As hand_over takes them, as all that follow.
        outputs: Likewise.
        model: Likewise.
        version: Likewise.
        failure: Likewise.
        error: Likewise.

    Returns:
        Whether it was taken; False where nothing is watched, or this path is not: it is counted as a request then, and
        its values are let go.
    """
    try:
        monitor = process.monitor
        if monitor is None:
            return False
        taken = HandedOver(inputs, outputs, str(model), str(version), str(failure))
        told_status, seconds = int(status), float(duration_seconds)
        if not _has_room(monitor.capture, None, taken):
            return False
        own_scope = {name: value for name, value in scope.items() if name != MARK}
        passing = monitor.open(own_scope, _nothing_more, _nobody, here=True)
        if passing is None:
            return False
        try:
            passing.conclude(told_status, seconds, None if _is_empty(taken) else taken, str(error))
        finally:
            passing.close()
    except Exception as mistake:
        note_loss(type(mistake).__name__)
        return False
    return isinstance(passing, Tee)


def observe(name: str, value: SignalValue) -> bool:
    """Tells a business number, such as revenue, which gets a window, evidence and alerts like a column (`docs/signals.md`).

    From any thread or coroutine. What says nothing (NaN) or is too much is counted. Returns whether it was taken.

    Args:
        name: 1 to 64 printable characters; the same values go under the same name for ever.
        value: A number, a boolean, or one of a few categories of at most 64 characters.

    Raises:
        TypeError: *name* is no text, or *value* none of these.
        ValueError: *name* is empty, too long, or not printable.
    """
    told, monitor = checked(name, value), process.monitor
    return monitor is not None and monitor.capture.signals.add(*told)


def label(
    prediction_id: str | int | UUID | None,
    value: object,
    *,
    at: float | str | datetime | None = None,
    row: int | None = None,
    step: int | None = None,
    entity: str | int | None = None,
    within: str | float | None = None,
) -> bool:
    """Tells the truth about a prediction, whenever it becomes known: `dashlight.label(id, "fraud")`.

    May be called from anywhere in the app, on the event loop too: it returns at once, and a thread stores the label. It
    waits where Dashlight has not started yet. Where labels are off (DASHLIGHT_LABELS) it is lost, and the log says so once.
    Returns whether it is on its way; False: it is lost and counted.

    Args:
        prediction_id: As in the header of DASHLIGHT_PREDICTION_ID_HEADER, or the payload's own; None where *entity* says it.
        value: A class, a number, a truth value or a grade; of a ranking the item that was chosen.
        at: When it became known: seconds since the epoch, a text of ISO 8601 (UTC unless it names a zone), a datetime;
            None: now.
        row: Number of the row, from 0, in a batch that has one id.
        step: Step of a forecast, from 1.
        entity: Whom the prediction was about, by DASHLIGHT_ENTITY, where there is no id.
        within: How long before *at* it was made at most, such as `7d`; with *entity*.

    Raises:
        TypeError: *prediction_id* or *value* of a type that no prediction has.
        ValueError: an empty id, a value that is no label, a moment in the future.
    """
    found = told_label(prediction_id, value, at=at, row=row, step=step, entity=entity, within=within)
    try:
        return process.take_label(found)
    except Exception as mistake:  # ours must not become the app's
        note_loss(type(mistake).__name__)
        return False


def note_loss(reason: str) -> None:
    """Counts something that an integration could not hand over, under *reason*; each reason is logged once."""
    monitor = process.monitor
    if monitor is not None:
        monitor.capture.count(reason)


def adopt_spans(*, adopts: bool = True) -> bool:
    """Tells that the spans which the server makes around the app are exported by nobody, so that ours stand for them.

    Ours take their ids, and are exported where DASHLIGHT_SPANS is `auto` and an endpoint for traces is configured.
    To be called once the server has started up; returns whether it is done.
    """
    monitor = process.monitor
    return monitor is not None and monitor.capture.spans.adopt(adopts=adopts)


def name_application(name: str, *, service: str = "") -> None:
    """Names what this process serves, where its command line does not tell: processes of one name count as one.

    To be called before the first request and before the server starts up; later it changes nothing.

    Args:
        name: The same in all processes that serve the same.
        service: `service.name` of spans, events and metrics, where OpenTelemetry's variables say none.
    """
    process.application, process.service = name, service


def _has_room(capture: Capture, before: object, taken: HandedOver) -> bool:
    """Whether *taken* may wait for the analysis as well; counted either way."""
    sizes = _size_bytes(taken.inputs), _size_bytes(taken.outputs)
    # As much as bodies may take, beside them.
    refusal = _refusal(sizes, before, capture.inbox.limit_bytes - capture.inbox.handed_bytes)
    if refusal:
        capture.count(refusal)
        return False
    capture.inbox.handed_bytes += sum(sizes)
    return True


def _is_empty(taken: HandedOver) -> bool:
    # Not by comparison: arrays compare by element.
    return taken.inputs is None and taken.outputs is None and not (taken.model or taken.version or taken.failure)


def _over(before: HandedOver | None, taken: HandedOver) -> HandedOver:
    """*taken*, and of what was handed over *before* that which it leaves out."""
    if before is None:
        return taken
    return HandedOver(
        before.inputs if taken.inputs is None else taken.inputs,
        before.outputs if taken.outputs is None else taken.outputs,
        taken.model or before.model,
        taken.version or before.version,
        taken.failure or before.failure,
    )


async def _nothing_more() -> Message:
    return {"type": "http.disconnect"}


async def _nobody(message: Message) -> None:
    """Takes the messages of an exchange that has no client any more: there are none."""


def _refusal(sizes: tuple[int, int], before: object, left_bytes: int) -> str:
    """Why so much more cannot be taken, or empty."""
    if before is ENDED:
        return TOO_LATE
    if max(sizes) > MOST_BYTES:
        return TOO_LARGE
    return TOO_MUCH if sum(sizes) > left_bytes else ""


def _size_bytes(value: object) -> int:
    """What *value* holds at once, as far as it says so itself; the parts of a mapping are added up."""
    if isinstance(value, dict):
        return sum(map(_own_size_bytes, cast("dict[object, object]", value).values()))
    return _own_size_bytes(value)


def _own_size_bytes(value: object) -> int:
    if isinstance(value, str | bytes):
        return len(value)
    size = getattr(value, "nbytes", None)
    if isinstance(size, int):
        return size
    # A data frame says how many values it has, of eight bytes or a reference each.
    cells = getattr(value, "size", None)
    return 8 * cells if isinstance(cells, int) else 0
