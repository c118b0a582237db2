"""What went wrong in an exchange: by status, by the shape of the answer, or said inside a 200."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal, TypeAlias

from dashlight.decode.rows.answer_facts import is_about_answer
from dashlight.decode.rows.jsonvalue import fields_of, is_list, is_object
from dashlight.decode.rows.refusals import Refused, is_problem_document, refused_values

FailureKind: TypeAlias = Literal["validation", "client", "server", "model", "stream"]

ERROR_KEYS: Final = frozenset(
    {
        "error", "errors", "err", "error_message", "errorMessage", "error_msg", "errorMsg", "error_code", "errorCode",
        "Error", "Errors", "ErrorMessage", "err_code", "errCode", "errcode", "errno",
        "errmsg", "errMsg", "err_msg", "error_description", "error_detail", "error_details", "errorDetails", "exception", "traceback",
    }
)  # fmt: skip
"""Keys of an answer that say, where they hold something, that the model did not answer."""
CONFESSING_KEYS: Final = frozenset({"success", "ok", "is_success", "isSuccess", "succeeded"})
"""Keys that say the same where they are false."""
CODE_KEYS: Final = frozenset(
    {
        "code", "status_code", "statusCode", "error_code", "errorCode", "err_code", "errcode", "errno", "ret", "ret_code",
        "retcode", "return_code", "returnCode", "result_code", "resultCode",
    }
)  # fmt: skip
"""Keys of a number that is 0 or 200 where all went well; others say it where no output stands beside them."""
STATUS_KEYS: Final = ("status", "state", *sorted(CODE_KEYS))
"""Keys that say it with one of FAILED_WORDS or a status of 400 and above, where one of MESSAGE_KEYS stands beside them."""
FAILED_WORDS: Final = frozenset({"error", "errors", "failed", "failure", "fail", "exception"})
DOUBTFUL_WORDS: Final = frozenset({"not_ok", "not ok", "not-ok", "notok", "nok", "ko", "unsuccessful"})
"""They may as well be what was found of a part that is inspected: they say it where no output stands beside them."""
FAILED_CODE: Final = (
    r"(?:e|err|error)[-_. ]?[0-9]{1,8}|[\w.-]{0,40}(?:error|exception|fail(?:ed|ure)|invalid|not_?found|missing|unavailable|time_?d?_?out"
    r"|denied|unauthori[sz]ed|forbidden|exceeded|unsupported|not_?supported|bad_?request|overloaded|refused)[\w.-]{0,40}"
)
"""A code in text, `E102` or `MODEL_NOT_FOUND`, that says it where no output stands beside it; a pattern, in any case."""
WELL_CODES: Final = (0, *range(200, 300))
MESSAGE_KEYS: Final = ("message", "detail", "reason", "msg", "description")
MESSAGE_KEYS_SET: Final = frozenset(MESSAGE_KEYS)
_CODE_MESSAGE_KEYS = frozenset({"message", "msg", "detail", "errmsg", "errMsg", "err_msg", "error_msg", "errorMsg"})
"""Beside a code; `description` and `reason` may explain a code that the model answered."""

_FAILED_CODE = re.compile(rf"(?i:{FAILED_CODE})")
_TELLING = ERROR_KEYS | CONFESSING_KEYS | frozenset(STATUS_KEYS)
_DETAIL_LENGTH = 500
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_FAILED_DEPENDENCY = 424
"""Azure ML and Hugging Face's text servers answer so where the model raised: a failure of the server's in spite of 4xx."""
_SAYING_KEYS = ("error_code", "error_type", "error", "errors", *MESSAGE_KEYS, "info")
_FAILED_STATUSES = range(400, 600)
_QUIET_WORDS = frozenset({"", "none", "null", "nil", "ok", "no error", "no_error", "success", "200", "false", "n/a"})
"""Under a key for errors they say that there was none."""
_LONGEST_QUIET = 16
_LONGEST_CODE = 80
_MAX_LOOKED_AT = 256


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
    refused = refused_values(status, answer)
    if refused:
        return _validation(refused)
    kind: FailureKind = "validation" if is_problem_document(status, answer) else "client"
    return Failure(kind, _message(answer) or error)


def failure_inside(answer: object) -> Failure | None:
    """The failure that a successful answer confesses at its first two levels, or None.

    `error` may be null, false or a number (an estimated error) beside a prediction: that is none. Of several rows that
    are answered in a list all must confess.
    """
    first = _only(answer)
    if confesses(first):
        return Failure("model", _message(first))
    inner = [first] if is_list(first) else [*islice(fields_of(first).values(), _MAX_LOOKED_AT)]
    for part in map(_only, inner):
        if is_confession_inside(part):
            return Failure("model", _message(part))
        if is_list(part) and len(part) > 1 and all(map(is_confession_inside, part)):
            return Failure("model", _message(part[0]))
    return None


def confesses(value: object) -> bool:
    """Whether the fields of *value*, a whole answer, say that it is none."""
    fields = fields_of(value)
    if _TELLING.isdisjoint(fields):
        return False
    if any(_says_something(fields[key]) for key in ERROR_KEYS & fields.keys()):
        return True
    return any(fields[key] is False for key in CONFESSING_KEYS & fields.keys()) or _has_failed(fields)


def is_confession_inside(value: object) -> bool:
    """Whether the fields of *value*, a part of an answer or one of its rows, say that it is none.

    A flag of the model's own may be called `ok`, `success` or `error` here: it needs a message beside it.
    """
    fields = fields_of(value)
    if _TELLING.isdisjoint(fields):
        return False
    if any(_says_something(fields[key]) for key in ERROR_KEYS & fields.keys() if fields[key] is not True):
        return True
    is_denied = any(fields[key] is False for key in CONFESSING_KEYS & fields.keys())
    return (is_denied and has_message(fields)) or _has_failed(fields)


def has_message(keys: Iterable[str]) -> bool:
    """Whether one of *keys* holds words for what went wrong."""
    return not MESSAGE_KEYS_SET.isdisjoint(keys)


def has_code_message(keys: Iterable[str]) -> bool:
    """Whether one of *keys* holds words for what a code means."""
    return not _CODE_MESSAGE_KEYS.isdisjoint(keys)


def _has_failed(fields: Mapping[str, object]) -> bool:
    told = {key: fields[key] for key in STATUS_KEYS if key in fields}
    if not told or not (has_message(fields) or has_code_message(fields)):
        return False
    if any(
        _word(status) in FAILED_WORDS or (type(status) is int and status in _FAILED_STATUSES)
        for status in told.values()
    ):
        return True
    doubtful = any(_word(status) in DOUBTFUL_WORDS or _is_bad_code(key, status, fields) for key, status in told.items())
    return doubtful and not any(_is_output(key, value) for key, value in islice(fields.items(), _MAX_LOOKED_AT))


def _word(status: object) -> str:
    return status.strip().lower() if isinstance(status, str) and len(status) <= _LONGEST_QUIET else ""


def _is_bad_code(key: str, status: object, fields: Mapping[str, object]) -> bool:
    """Whether *status* is a code beside words that do not say that all went well."""
    words = [fields[name] for name in _CODE_MESSAGE_KEYS & fields.keys()]
    if all(isinstance(said, str) and is_quiet(said) for said in words):
        return False
    if isinstance(status, str):
        return key in CODE_KEYS and _FAILED_CODE.fullmatch(status.strip()[:_LONGEST_CODE]) is not None
    if type(status) is not int:
        return False
    return status < 0 or (key in CODE_KEYS and status not in WELL_CODES)


def _is_output(key: str, value: object) -> bool:
    """Whether what stands under *key* may be what a model answered: it holds something, and is not about the answer."""
    if is_object(value):
        return any(_is_output(name, part) for name, part in islice(value.items(), _MAX_LOOKED_AT))
    if value is None or (isinstance(value, str | list) and not value):
        return False
    return key not in _TELLING and key not in MESSAGE_KEYS_SET and not is_about_answer(key)


def _only(value: object) -> object:
    return value[0] if is_list(value) and len(value) == 1 else value


def told_failure(detail: object, *, kind: FailureKind = "model") -> Failure:
    """The failure that a protocol's own reader found: *detail* is the part of the answer that tells it."""
    return Failure(kind, _message(detail))


def is_quiet(value: object) -> bool:
    """Whether *value*, under one of ERROR_KEYS, says that there was no error; a number says how large one is."""
    return not _says_something(value) and not (isinstance(value, int | float) and value is not False)


def _says_something(value: object) -> bool:
    if isinstance(value, str):
        said = value[:_LONGEST_QUIET].strip().lower()
        return said not in _QUIET_WORDS and bool(said.strip("0"))
    return bool(value) and (value is True or isinstance(value, list | dict))


def _validation(refused: Sequence[Refused]) -> Failure:
    fields: list[str] = []
    types: list[str] = []
    rows: list[int] = []
    messages: list[str] = []
    for problem in refused:
        steps = list(problem.steps)
        row = next((step for step in steps if isinstance(step, int)), None)
        if row is not None:
            # `instances`, 3, `age`: column `age` of row 3.
            rows.append(row)
            at = steps.index(row)
            steps = steps[at + 1 :] or steps[:at]
        fields.append(".".join(map(str, steps))[:_DETAIL_LENGTH])
        types.append(problem.why[:_DETAIL_LENGTH])
        messages.append(f"{fields[-1]}: {problem.words}")
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
