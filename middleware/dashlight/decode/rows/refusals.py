"""What a validator refused, in the layouts of common frameworks: which columns, why, and in which rows."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from dashlight.decode.rows.jsonvalue import fields_of, is_list, is_object

_MAX_PROBLEMS = 100
_BODY_REFUSED: Final = frozenset({400, 422})
"""Statuses with which frameworks refuse what they were sent."""
# Lists of problems: pydantic's under `detail`, RFC 9457's, Litestar's, JSON:API's, Spring's.
_LIST_KEYS = ("detail", "errors", "invalid-params", "invalid_params", "extra", "violations", "fieldErrors")
_PLACE_KEYS = ("loc", "pointer", "source", "field", "path", "propertyPath", "name", "key", "param", "property")
_WHY_KEYS = ("type", "code", "rule", "keyword")
_WORDS_KEYS = ("msg", "message", "detail", "reason", "defaultMessage", "title")
_REFUSING = re.compile(r"(?i)validation|invalid|is required|missing|must (?:not )?be|constraint")
_MOST_WORDS = 500
_LOCATIONS = frozenset({"body", "query", "path", "header", "cookie", "json"})


@dataclass(frozen=True, slots=True)
class Refused:
    """One problem of a validator."""

    steps: tuple[str | int, ...]
    """To the value that it refused, without the part of the request: names, and numbers of rows."""
    why: str
    words: str


def refused_values(status: int, answer: object) -> list[Refused]:
    """What the *answer* of a *status* from 400 to 499 says was refused; empty where it lists nothing."""
    listed = list(islice(_pydantic(answer), _MAX_PROBLEMS))
    if listed or status not in _BODY_REFUSED:
        return listed
    return list(islice(_others(answer), _MAX_PROBLEMS))


def is_problem_document(status: int, answer: object) -> bool:
    """Whether *answer* is what RFC 9457 makes of a request that was understood and refused, by its status or its words."""
    fields = fields_of(answer)
    is_problem = isinstance(fields.get("title", fields.get("type")), str) and ("status" in fields or "detail" in fields)
    told = f"{str(fields.get('title', ''))[:_MOST_WORDS]} {str(fields.get('detail', ''))[:_MOST_WORDS]}"
    return is_problem and (status == 422 or (status == 400 and _REFUSING.search(told) is not None))


def _pydantic(answer: object) -> Iterator[Refused]:
    """Pydantic's list of errors, as FastAPI and BentoML send it under `detail`."""
    detail = fields_of(answer).get("detail")
    for entry in detail[:_MAX_PROBLEMS] if is_list(detail) else ():
        if is_object(entry) and is_list(entry.get("loc")):
            yield _problem(entry, "loc")


def _others(answer: object) -> Iterator[Refused]:
    if is_list(answer):
        yield from _entries(answer)
    for key in _LIST_KEYS:
        problems = fields_of(answer).get(key)
        if is_list(problems):
            yield from _entries(problems)
    # ASP.NET's and marshmallow's: the messages by the name of the field.
    for name, said in islice(fields_of(fields_of(answer).get("errors")).items(), _MAX_PROBLEMS):
        nested = fields_of(said) if name in _LOCATIONS else {name: said}
        for field, messages in islice(nested.items(), _MAX_PROBLEMS):
            if (is_list(messages) and messages) or (isinstance(messages, str) and messages):
                yield Refused(_steps(field), "", str(messages if isinstance(messages, str) else messages[0])[:200])


def _entries(problems: list[object]) -> Iterator[Refused]:
    for entry in problems[:_MAX_PROBLEMS]:
        key = next((key for key in _PLACE_KEYS if key in fields_of(entry)), None)
        if is_object(entry) and key is not None and any(isinstance(entry.get(words), str) for words in _WORDS_KEYS):
            yield _problem(entry, key)


def _problem(entry: Mapping[str, object], key: str) -> Refused:
    place = entry[key]
    if is_object(place):
        # JSON:API: {"source": {"pointer": "/data/age"}}.
        place = place.get("pointer", place.get("parameter", ""))
    why = next((str(entry[name]) for name in _WHY_KEYS if name in entry), "")
    # Not `input`, which repeats the value.
    words = next((str(entry[name]) for name in _WORDS_KEYS if name in entry and name != key), "")
    return Refused(_steps(place), why, words)


def _steps(place: object) -> tuple[str | int, ...]:
    if is_list(place):
        steps = [step if type(step) is int else str(step) for step in place]
    else:
        written = str(place).lstrip("#$").replace("/", ".").replace("[", ".").replace("]", "")
        steps = [int(part) if part.isdecimal() and len(part) < 9 else part for part in written.split(".") if part]
    return tuple(steps[1:] if steps and steps[0] in _LOCATIONS else steps)
