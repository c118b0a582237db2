"""One exchange, decoded as faithfully as its bytes allow."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dashlight.decode.formats.content import UNTYPED, content_of, header, is_json, query_content
from dashlight.decode.formats.lines import by_rows
from dashlight.decode.handed import handed_content, handed_failure, read_handed
from dashlight.decode.llm.stream_reading import with_stream
from dashlight.decode.protocols.detect import place_in, protocol_of
from dashlight.decode.rows.cell_flags import cell_flags
from dashlight.decode.rows.columns import Sheet
from dashlight.decode.rows.echoes import answers_only
from dashlight.decode.rows.failures import Failure, failure_by_status, failure_inside
from dashlight.decode.rows.generation import Generation
from dashlight.decode.rows.matching.returned_inputs import in_order_of_inputs, without_inputs
from dashlight.decode.rows.matching.row_keys import parted
from dashlight.decode.rows.number_texts import numbers_of_text, with_numbers
from dashlight.decode.rows.reading import ABSENT, Content, Place
from dashlight.decode.rows.redact import is_personal
from dashlight.decode.rows.roles import OutputRole, output_role
from dashlight.decode.rows.selection import EVERYTHING, Selection, selected, with_named_ids
from dashlight.errors import DecodeError
from dashlight.records import Cell, Exchange, Role

METHODS = frozenset({"POST", "PUT", "GET"})
"""Those by which a model is asked."""
_MOVED, _CLIENT_ERROR = 300, 400
_MISLABELLED = frozenset({"invalid_json", "truncated"})
"""Reasons for which an error that calls itself JSON is read as text: MLflow's and proxies' timeouts are."""
_MESSAGE_BYTES = 2000
# What the platform says of an exchange in headers, where neither payload nor path does.
_MODEL_HEADERS = (b"x-amzn-sagemaker-target-model",)
_VERSION_HEADERS = (b"azureml-model-deployment", b"x-amzn-sagemaker-target-variant")
_REQUEST_ID_HEADERS = (b"x-bentoml-request-id", b"x-amzn-sagemaker-inference-id")


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """What one exchange decoded to.

    *flags*: null, nonfinite, numeric_string, mixed_type, missing_key, ragged, vector_column, sniffed, shape_mismatch,
    sparse, keyed_by_row, opaque_request, undecodable_request, truncated, over_limit, sensitive, error_in_200, not_a_prediction.
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
    generation: Generation | None = None
    """What a language model was asked and wrote; None where none was asked."""
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


def decode_exchange(
    exchange: Exchange, *, model: str = "", version: str = "", selection: Selection = EVERYTHING
) -> Decoded:
    """*exchange* decoded: it never raises, whatever the bytes.

    Args:
        exchange: One request and its response.
        model: Name of the model where neither payload nor path says it.
        version: Its version, likewise.
        selection: The columns that are asked for.
    """
    decoded = read_exchange(exchange, model=model, version=version, selection=selection)
    decoded = _each_side(decoded, selected, selection)
    flags = set(decoded.flags)
    for sheet in (decoded.features, decoded.outputs):
        if sheet is not None:
            flags |= sheet.flags
            flags.update(cell_flags(sheet))
            if "credential" in sheet.left_out.values() or any(map(is_personal, sheet.names)):
                flags.add("sensitive")
    decoded = _with_shown_outputs(decoded, selection)
    roles = {} if decoded.outputs is None else _roles(decoded.outputs)
    return replace(decoded, flags=frozenset(flags), roles=roles)


def columns_of(decoded: Decoded, selection: Selection) -> Decoded:
    """What `read_exchange` gave, with the columns of *selection* as decode_exchange has them."""
    return _with_shown_outputs(_each_side(decoded, selected, selection), selection)


def shown_outputs(features: Sheet | None, outputs: Sheet, selection: Selection) -> Sheet:
    """*outputs* without inputs that come back, unless *selection* lists outputs, and with the numbers that are texts."""
    if features is not None and not selection.prediction:
        outputs = without_inputs(features, outputs)
    return with_numbers(outputs)


def read_exchange(
    exchange: Exchange, *, model: str = "", version: str = "", selection: Selection = EVERYTHING
) -> Decoded:
    """As decode_exchange, without the roles and without the flags that cost a look at every value.

    Of *selection* it adds the ids that are asked for; which columns are kept is a matter of whole batches.
    """
    try:
        decoded = _read(exchange, model, version)
        return decoded if selection == EVERYTHING else _each_side(decoded, with_named_ids, selection)
    except Exception as error:  # one body that nobody foresaw must not take the others of its batch with it
        return Decoded(undecodable="unforeseen", undecodable_detail=f"unforeseen: {type(error).__name__}")


def no_prediction(exchange: Exchange, place: Place) -> str:
    """Why an exchange at *place* asks no model, in words; empty where it may."""
    if not place.is_prediction:
        return place.why
    if exchange.method not in METHODS or (exchange.method == "GET" and not exchange.query):
        return "neither POST nor PUT, nor GET with a query"
    if _MOVED <= exchange.status < _CLIENT_ERROR:
        return "a redirection"
    if exchange.route == "unmatched" and exchange.status in {404, 405}:
        return "nobody serves this path"
    return ""


def _read(exchange: Exchange, model: str, version: str) -> Decoded:
    place = place_in(exchange.path, exchange.request_headers, exchange.response_headers)
    handed = exchange.handed
    why_not = "" if handed is not None else no_prediction(exchange, place)
    if why_not:
        return _not_a_prediction(why_not)
    answer = _answer(exchange)
    value = answer.value if isinstance(answer, Content) else ABSENT
    if handed is None and exchange.method == "GET" and exchange.status < _CLIENT_ERROR and not _is_told(answer):
        return _not_a_prediction("a GET that is answered with neither JSON nor plain text")
    error = failure_by_status(exchange.status, value, error=exchange.error)
    flags: set[str] = set()
    if error is None and (error := handed_failure(handed) or failure_inside(value)) is not None:
        flags.add("error_in_200")
    request_id = _told(exchange, place, _REQUEST_ID_HEADERS)
    is_answered = error is None and exchange.outcome == "ok"
    try:
        request = _request(exchange)
        readable = answer if is_answered and isinstance(answer, Content) else None
        if handed is not None:
            protocol, why, reading = read_handed(handed, request, readable, place)
        else:
            protocol, why = protocol_of(request.value, place)
            reading = protocol.read(request, readable, place)
            if (
                readable is not None
                and (aligned := by_rows(readable, request, len(reading.features.values))) is not readable
            ):
                reading = protocol.read(request, aligned, place)
            reading = with_stream(reading, request.value, readable)
    except DecodeError as problem:
        return Decoded(
            why=place.why,
            model=place.model or _told(exchange, place, _MODEL_HEADERS) or model,
            version=place.version or _told(exchange, place, _VERSION_HEADERS) or version,
            request_id=request_id,
            error=error,
            undecodable=problem.reason,
            undecodable_detail=str(problem),
            flags=frozenset(flags | {"undecodable_request"} | _problem_flags(problem) | _opaque_flags(problem)),
        )
    if request.is_sparse:
        features = reading.features
        reading = replace(reading, features=replace(features, flags=features.flags | {"sparse"}))
    if reading.outputs is not None:
        features, outputs = parted(reading.features, reading.outputs)
        outputs = in_order_of_inputs(features, answers_only(outputs))
        reading = replace(reading, features=features, outputs=outputs)
    if error is None and reading.failure is not None:
        error, is_answered = reading.failure, False
        flags.add("error_in_200")
    if not protocol.is_read_by_shape:
        # Of the others plans are made, which see no headers.
        model = _told(exchange, place, _MODEL_HEADERS) or model
        version = _told(exchange, place, _VERSION_HEADERS) or version
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
        outputs=reading.outputs if is_answered and not place.is_explanation else None,
        model=(handed.model if handed is not None else "") or reading.model or model,
        version=(handed.version if handed is not None else "") or reading.version or version,
        row_ids=reading.features.row_ids,
        request_id=reading.request_id or request_id,
        params=reading.params,
        generation=reading.generation,
        error=error,
        undecodable=unread.reason if unread is not None else "",
        undecodable_detail=f"the answer: {unread}" if unread is not None else "",
        is_typed=request.media_type not in UNTYPED or request.is_sniffed,
        flags=reading.flags | flags,
    )


def _with_shown_outputs(decoded: Decoded, selection: Selection) -> Decoded:
    if decoded.outputs is None or decoded.generation is not None:
        return decoded
    features = decoded.features
    if features is not None and not decoded.is_typed:
        features = numbers_of_text(features)
    return replace(decoded, outputs=shown_outputs(features, decoded.outputs, selection))


def _each_side(decoded: Decoded, choose: Callable[[Sheet, Role, Selection], Sheet], selection: Selection) -> Decoded:
    features, outputs = decoded.features, decoded.outputs
    return replace(
        decoded,
        features=None if features is None else choose(features, "feature", selection),
        outputs=None if outputs is None else choose(outputs, "output", selection),
    )


def _not_a_prediction(why: str) -> Decoded:
    return Decoded(why=why, rows=0, flags=frozenset({"not_a_prediction"}))


def _request(exchange: Exchange) -> Content:
    if exchange.handed is not None and exchange.handed.inputs is not None:
        return handed_content(exchange.handed.inputs)
    body = exchange.request_body
    if exchange.query and (exchange.method == "GET" or not body):
        return query_content(exchange.query)
    return content_of(body, exchange.request_headers, is_truncated=exchange.request_truncated)


def _answer(exchange: Exchange) -> Content | DecodeError | None:
    """What was answered, why it cannot be read, or None where nothing was."""
    if exchange.handed is not None and exchange.handed.outputs is not None:
        try:
            return handed_content(exchange.handed.outputs)
        except DecodeError as problem:
            return problem
    body = exchange.response_body
    if not body and not exchange.response_truncated:
        return None
    try:
        return content_of(body, exchange.response_headers, is_truncated=exchange.response_truncated)
    except DecodeError as problem:
        if exchange.status >= _CLIENT_ERROR and problem.reason in _MISLABELLED:
            return Content(
                body, "text/plain", exchange.response_headers, body[:_MESSAGE_BYTES].decode("utf-8", "replace")
            )
        return problem


def _told(exchange: Exchange, place: Place, names: Sequence[bytes]) -> str:
    """The first value of the headers *names*, of the request or the answer; they are among those that sign a protocol."""
    if not place.signed:
        return ""
    told = (
        header(headers, name) for name in names for headers in (exchange.response_headers, exchange.request_headers)
    )
    return next(filter(None, told), "")


def _is_told(answer: Content | DecodeError | None) -> bool:
    """Whether *answer* is of a kind in which models answer a GET: pages and files are none."""
    return isinstance(answer, Content) and (is_json(answer) or answer.media_type == "text/plain")


def _opaque_flags(problem: DecodeError) -> set[str]:
    return {"opaque_request"} if problem.reason in {"binary_body", "opaque_body"} else set()


def _problem_flags(problem: DecodeError) -> set[str]:
    if problem.reason == "truncated":
        return {"truncated"}
    return {"over_limit"} if problem.reason in {"too_large", "too_complex"} else set()


def _roles(outputs: Sheet) -> dict[str, OutputRole]:
    return {name: output_role(name, [row[at] for row in outputs.values]) for at, name in enumerate(outputs.names)}
