"""What a refused request was refused for, by the answer that says so: the name of a field and what was wrong, no value."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias, cast

import msgspec

from dashlight.records import Exchange

MAX_BODY_BYTES: Final = 64 * 1024
"""Of an answer that is read; FastAPI's holds all that was sent."""
MAX_NAME: Final = 64
_NAME = re.compile(r"[^\W\d][\w.-]*")
"""What may be the name of a field, and not a value that a client chose for one, such as an address."""
_UNDECLARED = frozenset({"extra_forbidden", "value_error.extra"})
"""Problems of fields that no schema declares: their names are the client's."""
_MISSING = re.compile(r"missing|required", re.IGNORECASE)

_TEXT = re.compile(r"^(\S{1,200})\n {2}[^\n]*\[type=(\w{1,64}),", re.MULTILINE)
"""How Pydantic tells a mistake as text: the field, and below it what was wrong, the kind, and what was sent."""

_Found: TypeAlias = tuple[Sequence[object], str]
"""The path to a field, and what was wrong with it in a word; empty where that is not said."""


class _Error(msgspec.Struct):
    """One mistake, as Pydantic (`loc`, `type`), RFC 9457 (`pointer`, `detail`) and RFC 7807 (`name`, `reason`) say it."""

    loc: object = None
    type: object = None
    pointer: object = None
    name: object = None
    key: object = None
    detail: object = None
    reason: object = None
    message: object = None


class _Answer(msgspec.Struct, rename={"invalid_params": "invalid-params"}):
    """The parts of an answer that say what was wrong; what was sent is not kept."""

    detail: object = None
    errors: object = None
    invalid_params: object = None
    extra: object = None
    error: object = None


_ANSWER = msgspec.json.Decoder(_Answer)


def refused_for(exchange: Exchange) -> str:
    """`age missing`, of the first field that the answer of a refused exchange names; empty where it names none.

    Knows the 422 of FastAPI, problem+json with `errors` (RFC 9457, ASP.NET) or `invalid-params` (RFC 7807), and the 400 of
    Litestar, and Pydantic's own text, which BentoML answers. Places in lists are `[]`; what cannot be a name of a schema is `*`.
    """
    body = exchange.response_body
    if not body or len(body) > MAX_BODY_BYTES or exchange.response_truncated:
        return ""
    try:
        answer = _ANSWER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    for place in (answer.detail, answer.errors, answer.invalid_params, answer.extra, answer.error):
        found = _first(place)
        if found is not None:
            name = _named(found[0])
            return f"{name} {found[1]}".strip() if name else ""
    return ""


def _first(place: object) -> _Found | None:
    """The first mistake told at *place*: a list of them, lists of texts by field, or a text of Pydantic's."""
    if isinstance(place, str):
        match = _TEXT.search(place)
        return None if match is None else _mistake(_Error(loc=match[1].split("."), type=match[2]))
    if isinstance(place, list) and place:
        entry = cast("list[object]", place)[0]
        if not isinstance(entry, dict):
            return None
        try:
            return _mistake(msgspec.convert(entry, _Error))
        except msgspec.MsgspecError:
            return None
    if isinstance(place, dict) and place:
        return _by_field(cast("Mapping[str, object]", place), ())
    return None


def _mistake(error: _Error) -> _Found | None:
    kind = error.type if isinstance(error.type, str) else ""
    loc = error.loc
    path = cast("list[object]", loc) if isinstance(loc, list) else []
    if path:
        path = path[1:] if path[0] == "body" and len(path) > 1 else path
        return (path[:-1] if kind in _UNDECLARED else path), _problem(kind)
    texts = [each for each in (error.detail, error.reason, error.message) if isinstance(each, str)]
    problem = "missing" if texts and _MISSING.search(texts[0]) else ""
    if isinstance(error.pointer, str):
        return error.pointer.removeprefix("#").strip("/").split("/"), problem
    for name in (error.name, error.key):
        if isinstance(name, str):
            return name.split("."), problem
    return None


def _by_field(errors: Mapping[str, object], path: tuple[str, ...]) -> _Found | None:
    """Of `{"age": ["..."]}`, or of that under where the field was sent."""
    name, told = next(iter(errors.items()))
    if isinstance(told, dict) and told and len(path) < 2:
        return _by_field(cast("Mapping[str, object]", told), (*path, name))
    if not isinstance(told, list | str) or not told:
        return None
    text = told if isinstance(told, str) else cast("list[object]", told)[0]
    return (*path, name), "missing" if isinstance(text, str) and _MISSING.search(text) else ""


def _problem(kind: str) -> str:
    """A word of Pydantic's: `missing`, `int_parsing`; of version 1 `value_error.missing` is `missing`."""
    word = kind.rsplit(".", 1)[-1]
    return word if _NAME.fullmatch(word) and len(word) <= MAX_NAME else ""


def _named(path: Sequence[object]) -> str:
    """The path to a field as one name: `rows[].age`."""
    name = ""
    for step in path:
        if isinstance(step, int) or (isinstance(step, str) and step.isdigit()):
            name += "[]"
        else:
            known = isinstance(step, str) and len(step) <= MAX_NAME and _NAME.fullmatch(step)
            name += f"{'.' if name else ''}{step if known else '*'}"
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 3]}..."
