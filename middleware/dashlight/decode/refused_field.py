"""What a refused request was refused for, by the answer that says so: the names of fields and what was wrong, no value."""

import re
from collections.abc import Sequence
from itertools import islice
from typing import Final

from dashlight.decode.formats.bodies import parse_json
from dashlight.decode.rows.refusals import Refused, refused_in_words, refused_values
from dashlight.errors import DecodeError
from dashlight.records import Exchange

MAX_BODY_BYTES: Final = 64 * 1024
"""Of an answer that is read; FastAPI's holds all that was sent."""
MAX_FIELDS: Final = 8
"""Of one refusal that are told."""
MAX_NAME: Final = 64
_NAME = re.compile(r"[^\W\d][\w.-]*")
"""What may be the name of a field, and not a value that a client chose for one, such as an address."""
_UNDECLARED = frozenset({"extra_forbidden", "value_error.extra", "unrecognized_keys"})
"""Problems of fields that no schema declares: their names are the client's."""


def refused_for(exchange: Exchange) -> tuple[str, ...]:
    """`age missing`, of each field that the answer of a refused exchange names, in its order; MAX_FIELDS at most.

    Knows what rows/refusals.py reads. Places in lists are `[]`; what cannot be a name of a schema is `*`.
    """
    body = exchange.response_body
    if not body or len(body) > MAX_BODY_BYTES or exchange.response_truncated:
        return ()
    try:
        answer = parse_json(body)
    except DecodeError:
        return ()
    refused = refused_values(exchange.status, answer) or refused_in_words(answer)
    return tuple(islice(dict.fromkeys(filter(None, map(_told, refused))), MAX_FIELDS))


def _told(refused: Refused) -> str:
    """The name of a field and what was wrong with it in a word; empty where no field is named."""
    steps: Sequence[str | int] = refused.steps[:-1] if refused.why in _UNDECLARED else refused.steps
    if refused.location and (refused.location != "body" or not refused.steps):
        steps = (refused.location, *steps)
    name = _named(steps)
    return f"{name} {_problem(refused)}".strip() if name else ""


def _problem(refused: Refused) -> str:
    """A word of Pydantic's: `missing`, `int_parsing`; of version 1 `value_error.missing` is `missing`."""
    word = refused.why.rsplit(".", 1)[-1]
    if _NAME.fullmatch(word) and len(word) <= MAX_NAME:
        return word
    return "missing" if refused.is_missing else ""


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
