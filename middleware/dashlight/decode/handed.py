"""What an adapter handed over, in place of bodies: any table as a JSON value, then read like plain JSON."""

from dataclasses import replace
from typing import Final, cast, get_args

from dashlight.decode.foreign import plain_of
from dashlight.decode.llm.stream_reading import with_stream
from dashlight.decode.protocols import FALLBACK
from dashlight.decode.protocols.detect import protocol_of
from dashlight.decode.rows.answers import read_answer
from dashlight.decode.rows.failures import Failure, FailureKind
from dashlight.decode.rows.reading import Content, Place, Protocol, Reading
from dashlight.decode.rows.reasons import undecodable
from dashlight.records import HandedOver

_WHY: Final = "an adapter handed the values over"


def handed_content(value: object) -> Content:
    """*value* as if it had come as JSON.

    Mappings, sequences, NumPy's arrays and scalars, frames of pandas and polars, Arrow's tables, pydantic's models,
    data classes and structures of msgspec's are understood by what they can do; of long ones the first rows count, as everywhere.

    Raises:
        DecodeError: `handed_over`: something else, or more than a sheet can hold.
    """
    try:
        return Content(b"", "application/json", (), plain_of(value))
    except Exception as error:  # the objects are foreign, and so is what they may raise
        raise undecodable("handed_over", type(error).__name__) from None


def handed_failure(handed: HandedOver | None) -> Failure | None:
    """The failure that an adapter tells of; None where it tells of none."""
    if handed is None or not handed.failure:
        return None
    if handed.failure not in get_args(FailureKind):
        return Failure("model", handed.failure)
    return Failure(cast("FailureKind", handed.failure))


def read_handed(
    handed: HandedOver, request: Content, answer: Content | None, place: Place
) -> tuple[Protocol, str, Reading]:
    """The exchange, read: handed inputs as plain JSON, bodies by their protocol; and the rule, in words.

    Raises:
        DecodeError: the request is not laid out as its protocol wants it.
    """
    if handed.inputs is not None:
        protocol, why = FALLBACK, _WHY
    else:
        protocol, why = protocol_of(request.value, place)
    if handed.outputs is None or answer is None:
        return (protocol, why, with_stream(protocol.read(request, answer, place), request.value, answer))
    if handed.inputs is not None:
        return (protocol, why, protocol.read(request, answer, place))
    # The envelope of an answer in that protocol is around the bytes, not around what was handed over.
    reading = protocol.read(request, None, place)
    rows = len(reading.features.values)
    answered = read_answer(answer.value, rows=rows, row_ids=reading.features.row_ids)
    reading = replace(
        reading,
        outputs=answered.outputs,
        model=reading.model or answered.model,
        version=reading.version or answered.version,
    )
    return (protocol, f"{why}; {_WHY} of the answer", reading)
