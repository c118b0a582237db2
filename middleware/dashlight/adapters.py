"""For server integrations: hand over decoded values, where the bytes of an exchange do not tell them as well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from dashlight.capture.spans import ENDED, Opened
from dashlight.capture.tee import MARK
from dashlight.process import process
from dashlight.records import HandedOver

MOST_BYTES: Final = 4 * 2**20
"""Of the arrays, frames, texts and bytes of one side: what is held until the analysis has read it."""
MOST_WAITING_BYTES: Final = 64 * 2**20
"""Of all that was handed over and waits for the analysis, beside the bodies that do."""
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

    Returns:
        Whether it was taken; False for a request that is not watched.
    """
    try:
        opened, monitor = scope.get(MARK), process.monitor
        if not isinstance(opened, Opened) or monitor is None:
            return False
        before, inbox = opened.handed, monitor.capture.inbox
        sizes = _size_bytes(inputs), _size_bytes(outputs)
        refusal = _refusal(sizes, before, inbox.handed_bytes)
        if refusal:
            monitor.capture.count(refusal)
            return False
        inbox.handed_bytes += sum(sizes)
        earlier: HandedOver = before or HandedOver()
        opened.handed = HandedOver(
            earlier.inputs if inputs is None else inputs,
            earlier.outputs if outputs is None else outputs,
            str(model) or earlier.model,
            str(version) or earlier.version,
            str(failure) or earlier.failure,
        )
    except Exception as error:  # an adapter's mistake must not become the host's
        if process.monitor is not None:
            process.monitor.capture.count(type(error).__name__)
        return False
    return True


def _refusal(sizes: tuple[int, int], before: object, waiting_bytes: int) -> str:
    """Why so much more cannot be taken, or empty."""
    if before is ENDED:
        return TOO_LATE
    if max(sizes) > MOST_BYTES:
        return TOO_LARGE
    return TOO_MUCH if waiting_bytes + sum(sizes) > MOST_WAITING_BYTES else ""


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
