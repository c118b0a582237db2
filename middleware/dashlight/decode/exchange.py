"""One exchange, decoded as faithfully as its bytes allow."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from dashlight.decode.columns import Sheet
from dashlight.decode.content import UNTYPED, content_of, header, query_content
from dashlight.decode.detect import place_of, protocol_of
from dashlight.decode.failures import Failure, failure_by_status, failure_inside
from dashlight.decode.jsonvalue import NUMBER_TYPES, is_list
from dashlight.decode.reading import ABSENT, Content, Place
from dashlight.decode.redact import is_personal
from dashlight.decode.roles import OutputRole, output_role
from dashlight.errors import DecodeError
from dashlight.records import Cell, Exchange

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_METHODS = frozenset({"POST", "PUT", "GET"})
_MOVED, _CLIENT_ERROR = 300, 400


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """What one exchange decoded to.

    *flags*: null, nonfinite, numeric_string, mixed_type, missing_key, ragged, vector_column, sniffed, shape_mismatch,
    undecodable_request, truncated, over_limit, sensitive, error_in_200, not_a_prediction.
    """

    protocol: str = ""
    """Empty where none was found."""
    why: str = ""
    """The rule that chose the protocol, in words."""
    rows: int | None = None
    """Rows that were asked; None where the request cannot be read."""
    features: Sheet | None = None
    """None where the request cannot be read."""
    outputs: Sheet | None = None
    """None where the answer is an error or cannot be read."""
    roles: Mapping[str, OutputRole] = field(default_factory=dict[str, OutputRole])
    """What each output means."""
    model: str = ""
    version: str = ""
    row_ids: tuple[Cell, ...] = ()
    request_id: str = ""
    params: Mapping[str, Cell] = field(default_factory=dict[str, Cell])
    error: Failure | None = None
    undecodable: str = ""
    """The reason why request or answer could not be read, or empty."""
    undecodable_detail: str = ""
    is_typed: bool = True
    """False where every value of the request is text, because a query or a form knows no numbers."""
    flags: frozenset[str] = frozenset()

    @property
    def is_prediction(self) -> bool:
        """Whether the exchange asked a model, as far as can be told."""
        return "not_a_prediction" not in self.flags


def decode_exchange(exchange: Exchange, *, model: str = "", version: str = "") -> Decoded:
    """*exchange* decoded: it never raises, whatever the bytes.

    Args:
        exchange: One request and its response.
        model: Name of the model where neither payload nor path says it.
        version: Its version, likewise.
    """
    decoded = read_exchange(exchange, model=model, version=version)
    flags = set(decoded.flags)
    for sheet in (decoded.features, decoded.outputs):
        if sheet is not None:
            flags |= sheet.flags
            flags.update(_value_flags(sheet))
            if "credential" in sheet.left_out.values() or any(map(is_personal, sheet.names)):
                flags.add("sensitive")
    roles = {} if decoded.outputs is None else _roles(decoded.outputs)
    return replace(decoded, flags=frozenset(flags), roles=roles)


def read_exchange(exchange: Exchange, *, model: str = "", version: str = "") -> Decoded:
    """As decode_exchange, without the roles and without the flags that cost a look at every value."""
    try:
        return _read(exchange, model, version)
    except Exception as error:  # one body that nobody foresaw must not take the others of its batch with it
        return Decoded(undecodable="unforeseen", undecodable_detail=f"unforeseen: {type(error).__name__}")


def no_prediction(exchange: Exchange, place: Place) -> str:
    """Why an exchange at *place* asks no model, in words; empty where it may."""
    if not place.is_prediction:
        return place.why
    if exchange.method not in _METHODS or (exchange.method == "GET" and not exchange.query):
        return "neither POST nor PUT, nor GET with a query"
    if _MOVED <= exchange.status < _CLIENT_ERROR:
        return "a redirection"
    if exchange.route == "unmatched" and exchange.status in {404, 405}:
        return "nobody serves this path"
    return ""


def numbers_of_text(sheet: Sheet) -> Sheet:
    """*sheet* with the numbers that it holds as text, as numbers: for carriers that know only text."""
    values = [
        [float(cell) if isinstance(cell, str) and _NUMBER.fullmatch(cell) else cell for cell in row]
        for row in sheet.values
    ]
    return replace(sheet, values=values)


def _read(exchange: Exchange, model: str, version: str) -> Decoded:
    place = place_of(exchange.path)
    why_not = no_prediction(exchange, place)
    if why_not:
        return _not_a_prediction(why_not)
    answer = _answer(exchange)
    value = answer.value if isinstance(answer, Content) else ABSENT
    if exchange.method == "GET" and exchange.status < _CLIENT_ERROR and not _is_json(answer):
        return _not_a_prediction("a GET that is not answered with JSON")
    error = failure_by_status(exchange.status, value, error=exchange.error)
    flags: set[str] = set()
    if error is None and (error := failure_inside(value)) is not None:
        flags.add("error_in_200")
    request_id = header(exchange.response_headers, b"x-bentoml-request-id")
    is_answered = error is None and exchange.outcome == "ok"
    try:
        request = _request(exchange)
        protocol, why = protocol_of(request.value, place)
        reading = protocol.read(request, answer if is_answered and isinstance(answer, Content) else None, place)
    except DecodeError as problem:
        return Decoded(
            why=place.why,
            model=place.model or model,
            version=place.version or version,
            request_id=request_id,
            error=error,
            undecodable=problem.reason,
            undecodable_detail=str(problem),
            flags=frozenset(flags | {"undecodable_request"} | _problem_flags(problem)),
        )
    unread = answer if is_answered and isinstance(answer, DecodeError) else None
    if unread is not None:
        flags |= _problem_flags(unread)
    if request.is_sniffed:
        flags.add("sniffed")
    return Decoded(
        protocol=protocol.name,
        why=why,
        rows=len(reading.features.values),
        features=reading.features,
        outputs=reading.outputs,
        model=reading.model or model,
        version=reading.version or version,
        row_ids=reading.features.row_ids,
        request_id=reading.request_id or request_id,
        params=reading.params,
        error=error,
        undecodable=unread.reason if unread is not None else "",
        undecodable_detail=f"the answer: {unread}" if unread is not None else "",
        is_typed=request.media_type not in UNTYPED or request.is_sniffed,
        flags=reading.flags | flags,
    )


def _not_a_prediction(why: str) -> Decoded:
    return Decoded(why=why, rows=0, flags=frozenset({"not_a_prediction"}))


def _request(exchange: Exchange) -> Content:
    body = exchange.request_body
    if exchange.query and (exchange.method == "GET" or not body):
        return query_content(exchange.query)
    return content_of(body, exchange.request_headers, is_truncated=exchange.request_truncated)


def _answer(exchange: Exchange) -> Content | DecodeError | None:
    """What was answered, why it cannot be read, or None where nothing was."""
    body = exchange.response_body
    if not body and not exchange.response_truncated:
        return None
    try:
        return content_of(body, exchange.response_headers, is_truncated=exchange.response_truncated)
    except DecodeError as problem:
        return problem


def _is_json(answer: Content | DecodeError | None) -> bool:
    return isinstance(answer, Content) and (answer.is_sniffed or not isinstance(answer.value, str))


def _problem_flags(problem: DecodeError) -> set[str]:
    if problem.reason == "truncated":
        return {"truncated"}
    return {"over_limit"} if problem.reason == "too_large" else set()


def _roles(outputs: Sheet) -> dict[str, OutputRole]:
    return {name: output_role(name, [row[at] for row in outputs.values]) for at, name in enumerate(outputs.names)}


def _value_flags(sheet: Sheet) -> Iterator[str]:
    for at in range(len(sheet.names)):
        column = [row[at] for row in sheet.values]
        kinds = set(map(type, column))
        if type(None) in kinds:
            yield "null"
        if float in kinds and any(type(cell) is float and not math.isfinite(cell) for cell in column):
            yield "nonfinite"
        if str in kinds and any(isinstance(cell, str) and _NUMBER.fullmatch(cell) for cell in column):
            yield "numeric_string"
        if len(kinds - NUMBER_TYPES) + (not kinds.isdisjoint({int, float})) > 1:
            yield "mixed_type"
        if any(is_list(cell) and NUMBER_TYPES.issuperset(map(type, cell)) for cell in column):
            yield "vector_column"
