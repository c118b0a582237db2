"""What went wrong in an exchange: by status, by the shape of the answer, or said inside a 200."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from dashlight.decode.rows.jsonvalue import fields_of, is_list, is_object

FailureKind: TypeAlias = Literal["validation", "client", "server", "model", "stream"]

ERROR_KEYS: Final = frozenset({"error", "errors", "error_message", "error_code", "exception", "traceback"})
"""Keys of an answer that say, where they hold something, that the model did not answer."""
CONFESSING_KEYS: Final = frozenset({"success", "ok"})
"""Keys that say the same where they are false."""
STATUS_KEYS: Final = ("status", "state")
"""Keys that say it with one of FAILED_WORDS, where one of MESSAGE_KEYS stands beside them."""
FAILED_WORDS: Final = frozenset({"error", "errors", "failed", "failure", "fail"})
MESSAGE_KEYS: Final = ("message", "detail", "reason", "msg", "description")

_DETAIL_LENGTH = 500
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_FAILED_DEPENDENCY = 424
"""Azure ML and Hugging Face's text servers answer so where the model raised: a failure of the server's in spite of 4xx."""
_SAYING_KEYS = ("error_code", "error_type", "error", "errors", *MESSAGE_KEYS, "info")
_MAX_PROBLEMS = 100
_LOCATIONS = frozenset({"body", "query", "path", "header", "cookie"})


@dataclass(frozen=True, slots=True)
class Failure:
    """An exchange that went wrong.

    *detail* is what the application said. It may repeat what it was asked: redact it before it leaves.
    """

    kind: FailureKind
    detail: str = ""
    fields: tuple[str, ...] = ()
    """Columns that a validator refused."""
    types: tuple[str, ...] = ()
    """Its words for why, one for each of *fields*."""
    rows: tuple[int, ...] = ()
    """Rows of the request that it refused, where it said so."""


def failure_by_status(status: int, answer: object, *, error: str = "") -> Failure | None:
    """The failure that an answer of *status* is, or None below 400.

    Args:
        status: 0 where no response was started.
        answer: The JSON value or text of the body; anything else where there is none.
        error: Type of the exception that left the application, or empty.
    """
    if status < 400 and not error:
        return None
    if not 400 <= status < 500 or status == _FAILED_DEPENDENCY:
        return Failure("server", _message(answer) or error)
    problems = _problems(answer)
    return _validation(problems) if problems else Failure("client", _message(answer) or error)


def failure_inside(answer: object) -> Failure | None:
    """The failure that a successful answer confesses, or None.

    `error` may be null, false or a number (an estimated error) beside a prediction: that is none.
    """
    fields = fields_of(answer)
    if any(_says_something(fields[key]) for key in ERROR_KEYS & fields.keys()):
        return Failure("model", _message(answer))
    if any(fields[key] is False for key in CONFESSING_KEYS & fields.keys()):
        return Failure("model", _message(answer))
    status = next((fields[key] for key in STATUS_KEYS if key in fields), None)
    if isinstance(status, str) and status.lower() in FAILED_WORDS and any(key in fields for key in MESSAGE_KEYS):
        return Failure("model", _message(answer))
    return None


def told_failure(detail: object, *, kind: FailureKind = "model") -> Failure:
    """The failure that a protocol's own reader found: *detail* is the part of the answer that tells it."""
    return Failure(kind, _message(detail))


def _says_something(value: object) -> bool:
    return bool(value) and (value is True or isinstance(value, str | list | dict))


def _problems(answer: object) -> Sequence[Mapping[str, object]]:
    """The entries of pydantic's list of errors, as FastAPI and BentoML send it under `detail`."""
    detail = fields_of(answer).get("detail")
    if not is_list(detail):
        return ()
    return [entry for entry in detail[:_MAX_PROBLEMS] if is_object(entry) and is_list(entry.get("loc"))]


def _validation(problems: Sequence[Mapping[str, object]]) -> Failure:
    fields: list[str] = []
    types: list[str] = []
    rows: list[int] = []
    messages: list[str] = []
    for problem in problems:
        location = problem["loc"]
        steps = list(location) if is_list(location) else []
        if steps and steps[0] in _LOCATIONS:
            del steps[0]
        row = next((step for step in steps if type(step) is int), None)
        if row is not None:
            # `instances`, 3, `age`: column `age` of row 3.
            rows.append(row)
            at = steps.index(row)
            steps = steps[at + 1 :] or steps[:at]
        fields.append(".".join(map(str, steps))[:_DETAIL_LENGTH])
        types.append(str(problem.get("type", ""))[:_DETAIL_LENGTH])
        # Not `input`, which repeats the value.
        messages.append(f"{fields[-1]}: {problem.get('msg', '')}")
    detail = "; ".join(messages)[:_DETAIL_LENGTH]
    return Failure("validation", detail, tuple(fields), tuple(types), tuple(dict.fromkeys(rows)))


def _message(answer: object) -> str:
    if isinstance(answer, str):
        return answer[:_DETAIL_LENGTH]
    fields = fields_of(answer)
    said = [words for key in _SAYING_KEYS if (words := fields.get(key))]
    if not said and is_object(status := fields.get("status")):
        # Seldon's envelope.
        return _message(status)
    if said:
        return "; ".join(words if isinstance(words, str) else _compact(words) for words in said)[:_DETAIL_LENGTH]
    return _compact(answer) if is_object(answer) or is_list(answer) else ""


def _compact(value: object) -> str:
    # Piece by piece: what is said may be as long as the body.
    pieces: list[str] = []
    room = _DETAIL_LENGTH
    for piece in _ENCODER.iterencode(value):
        pieces.append(piece[:room])
        room -= len(piece)
        if room <= 0:
            break
    return "".join(pieces)
