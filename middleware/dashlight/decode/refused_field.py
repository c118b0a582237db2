"""What a refused request was refused for, by the answer that says so: the names of fields and what was wrong, no value."""

import re
from collections.abc import Collection, Sequence
from itertools import islice
from typing import Final

from dashlight.decode.formats.bodies import parse_json
from dashlight.decode.rows.refusals import Refused, refused_in_words, refused_values
from dashlight.errors import DecodeError
from dashlight.privacy.names import is_tellable
from dashlight.records import Exchange
from dashlight.window.outcomes import ANOTHER_FIELD

MAX_BODY_BYTES: Final = 64 * 1024
"""Of an answer that is read; FastAPI's holds all that was sent."""
MAX_FIELDS: Final = 8
"""Of one refusal that are told."""
MAX_NAME: Final = 64
_MISSING_WORD: Final = "missing"
_NAME = re.compile(r"[^\W\d][\w.-]*")
"""What may be the name of a field, and not a value that a client chose for one, such as an address."""
_UNDECLARED = frozenset({"extra_forbidden", "value_error.extra", "unrecognized_keys"})
"""Problems of fields that no schema declares: their names are the client's."""


def refused_for(exchange: Exchange, known: Collection[str] | None = None) -> tuple[str, ...]:
    """`age missing`, of each field that the answer of a refused exchange names, in its order; MAX_FIELDS at most.

    Knows what rows/refusals.py reads. Places in lists are `[]`; what cannot be a name of a schema is `*`. A field that is
    neither missing, so that the app asks for it, nor *known* (None: all are) by its last name, a client may have made up:
    ANOTHER_FIELD.
    """
    body = exchange.response_body
    if not body or len(body) > MAX_BODY_BYTES or exchange.response_truncated:
        return ()
    try:
        answer = parse_json(body)
    except DecodeError:
        return ()
    refused = refused_values(exchange.status, answer) or refused_in_words(answer)
    return tuple(islice(dict.fromkeys(filter(None, (_told(each, known) for each in refused))), MAX_FIELDS))


def name_of_missing(reason: str) -> str:
    """The last name of the field of which `refused_for` says that it is missing; empty where it says no such thing."""
    name, _, problem = reason.rpartition(" ")
    return _last(name) if problem == _MISSING_WORD else ""


def _told(refused: Refused, known: Collection[str] | None) -> str:
    """The name of a field and what was wrong with it in a word; empty where no field is named."""
    steps: Sequence[str | int] = refused.steps[:-1] if refused.why in _UNDECLARED else refused.steps
    if refused.location and (refused.location != "body" or not refused.steps):
        steps = (refused.location, *steps)
    name = _named(steps)
    problem = _problem(refused)
    is_asked_for = problem == _MISSING_WORD and is_tellable(name)
    if name and known is not None and not is_asked_for and _last(name) not in known:
        name = ANOTHER_FIELD
    return f"{name} {problem}".strip() if name else ""


def _last(name: str) -> str:
    return name.rpartition(".")[2].removesuffix("[]")


def _problem(refused: Refused) -> str:
    """A word of Pydantic's: `missing`, `int_parsing`; of version 1 `value_error.missing` is `missing`."""
    word = refused.why.rsplit(".", 1)[-1]
    if _NAME.fullmatch(word) and len(word) <= MAX_NAME:
        return word
    return _MISSING_WORD if refused.is_missing else ""


def _named(path: Sequence[str | int]) -> str:
    """The path to a field as one name: `rows[].age`."""
    name = ""
    for step in path:
        if isinstance(step, int) or step.isdigit():
            name += "[]"
        else:
            known = len(step) <= MAX_NAME and _NAME.fullmatch(step)
            name += f"{'.' if name else ''}{step if known else '*'}"
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 3]}..."
