"""What a validator refused, in the layouts of common frameworks: which columns, why, and in which rows."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from dashlight.decode.rows.jsonvalue import fields_of, is_list, is_object

_MAX_PROBLEMS = 100
_MAX_NESTING = 4
_BODY_REFUSED: Final = frozenset({400, 422})
"""Statuses with which frameworks refuse what they were sent."""
# Where problems are listed: pydantic's under `detail`, RFC 9457's, Litestar's, JSON:API's, Spring's, zod's, Google's.
_LIST_KEYS = (
    "detail", "details", "errors", "invalid-params", "invalid_params", "extra", "violations", "fieldErrors", "fieldViolations",
    "issues", "messages", "error",
)  # fmt: skip
_PLACE_KEYS = (
    "loc", "pointer", "source", "field", "path", "instancePath", "propertyPath", "name", "key", "param", "property",
)  # fmt: skip
_WHY_KEYS = ("type", "code", "rule", "keyword")
_WORDS_KEYS = ("msg", "message", "detail", "reason", "description", "defaultMessage", "title")
_NO_FIELDS = frozenset({*_LIST_KEYS, *_WHY_KEYS, *_WORDS_KEYS, "status", "non_field_errors", "__all__", "formErrors"})
"""Keys beside messages that name no field."""
_REFUSING = re.compile(r"(?i)validation|invalid|is required|missing|must (?:not )?be|constraint")
_MOST_WORDS = 500
_LOCATIONS = frozenset({"body", "query", "path", "header", "headers", "cookie", "cookies", "json", "form", "files"})
# Mistakes told as a text. Pydantic's: the field, and below it what was wrong, the kind, and what was sent.
_PYDANTIC_TEXT = re.compile(r"^(\S[^\n]{0,199})\n {2}[^\n]*[\[(]type=([\w.]{1,64})[,;)]", re.MULTILINE)
# Triton's and MLServer's: unexpected shape for input 'x'. TensorFlow Serving's. MLflow's: Incompatible input types for column x.
_NAMED = re.compile(
    r"(?i:(?:input|column|field|feature|parameter|argument|key) ?['\"`]([\w.-]{1,64})['\"`]"
    r"|(?:named input: |types for column )([\w-]{1,64})|['\"`]([\w.-]{1,64})['\"`] is (?:missing|required))"
)
# class-validator's sentences, as NestJS lists them.
_SENTENCE = re.compile(r"^(?:(property )|(?:each value in )?(?:nested property )?)([\w$.-]{1,64}) (?:must|should)\b")
# MLflow's and scikit-learn's lists of what is missing.
_LACKING = re.compile(r"missing inputs \[([^\]\n]{1,2000})\]|yet now missing:((?:\n- [^\n]{1,64}){1,100})")
_QUOTED = re.compile(r"['\"]([\w.-]{1,64})['\"]|\n- ([\w.-]{1,64})")
_MISSING = re.compile(r"missing|(?<!number is )(?<!integer is )required|named input", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Refused:
    """One problem of a validator."""

    location: str
    """The part of the request that it is about, `body` or `query`; empty where that is not said."""
    steps: tuple[str | int, ...]
    """To the value that it refused, in that part: names, and numbers of rows."""
    why: str
    words: str

    @property
    def is_missing(self) -> bool:
        """Whether its words say that a value is missing."""
        return _MISSING.search(self.words[:_MOST_WORDS]) is not None


def refused_values(status: int, answer: object) -> list[Refused]:
    """What the *answer* of a *status* from 400 to 499 says was refused; empty where it lists nothing."""
    problems = (
        _problems(answer, _MAX_NESTING) if status in _BODY_REFUSED else _listed(fields_of(answer).get("detail"), 0)
    )
    return list(islice(problems, _MAX_PROBLEMS))


def refused_in_words(answer: object) -> list[Refused]:
    """What the texts of *answer* say was refused, where servers of models list nothing: BentoML, MLflow, Triton and others."""
    fields = fields_of(answer)
    inner = fields_of(fields.get("error"))
    texts = [
        answer,
        *(fields.get(key) for key in _LIST_KEYS),
        *(fields.get(key) for key in _WORDS_KEYS),
        *inner.values(),
    ]
    found = (problem for text in islice(texts, _MAX_PROBLEMS) if isinstance(text, str) for problem in _in_words(text))
    return list(islice(chain(_in_sentences(fields.get("message")), found), _MAX_PROBLEMS))


def is_problem_document(status: int, answer: object) -> bool:
    """Whether *answer* is what RFC 9457 makes of a request that was understood and refused, by its status or its words."""
    fields = fields_of(answer)
    is_problem = isinstance(fields.get("title", fields.get("type")), str) and ("status" in fields or "detail" in fields)
    told = f"{str(fields.get('title', ''))[:_MOST_WORDS]} {str(fields.get('detail', ''))[:_MOST_WORDS]}"
    return is_problem and (status == 422 or (status == 400 and _REFUSING.search(told) is not None))


def _problems(node: object, levels: int) -> Iterator[Refused]:
    """The problems in *node*: a list of them, what holds such lists under keys for them, or messages by the name of a field."""
    if is_list(node):
        yield from _listed(node, levels)
    places = [key for key in _LIST_KEYS if key in fields_of(node)]
    for key in places if levels else ():
        child = fields_of(node)[key]
        found = False
        for problem in _problems(child, levels - 1):
            found = True
            yield problem
        if not found:
            yield from _told_by(fields_of(child))
    if not places and levels == _MAX_NESTING and _are_messages(node, 2):
        # Django REST's and webargs', bare.
        yield from _by_field(fields_of(node), ())


def _told_by(fields: Mapping[str, object]) -> Iterator[Refused]:
    """The problem that *fields* are, as OpenAI writes it, or the messages by the name of a field that they hold."""
    if not any(isinstance(fields.get(words), str) for words in _WORDS_KEYS):
        yield from _by_field(fields, ())
    elif isinstance(fields.get("param"), str) and (problem := _problem(fields)) is not None:
        yield problem


def _listed(entries: object, levels: int) -> Iterator[Refused]:
    for entry in entries[:_MAX_PROBLEMS] if is_list(entries) else ():
        problem = _problem(fields_of(entry))
        if problem is not None:
            yield problem
        elif levels and is_object(entry):
            yield from _problems(entry, levels - 1)


def _are_messages(node: object, levels: int) -> bool:
    """Whether *node* holds nothing but lists of texts, by the name of a field."""
    if is_object(node) and node and levels:
        return all(_are_messages(child, levels - 1) for child in islice(node.values(), _MAX_PROBLEMS))
    return is_list(node) and bool(node) and all(isinstance(said, str) for said in node[:_MAX_PROBLEMS])


def _by_field(errors: Mapping[str, object], path: tuple[str, ...]) -> Iterator[Refused]:
    """Of `{"age": ["..."]}`, or of that under where the field was sent, as ASP.NET, marshmallow and zod write it."""
    for name, said in islice(errors.items(), _MAX_PROBLEMS):
        if name in _NO_FIELDS:
            continue
        if is_object(said) and len(path) < 2:
            yield from _by_field(said, (*path, name))
        first = said[0] if is_list(said) and said else said
        if isinstance(first, str) and first:
            yield _at((*path, *_steps(name)), "", first[:200])


def _problem(entry: Mapping[str, object]) -> Refused | None:
    key = next((key for key in _PLACE_KEYS if key in entry), None)
    if key is None:
        return None
    place = entry[key]
    if is_object(place):
        # JSON:API: {"source": {"pointer": "/data/age"}}.
        place = place.get("pointer", place.get("parameter", ""))
    # express-validator calls each problem's type a field.
    why = next((kind for name in _WHY_KEYS if (kind := str(entry.get(name, ""))) not in {"", "field", "None"}), "")
    # Not `input`, which repeats the value.
    words = next((said for name in _WORDS_KEYS if name != key and isinstance(said := entry.get(name), str)), None)
    if key == "path" and isinstance(at := entry.get("location"), str):
        place = f"{at}.{place}"
    if words is None and not (key == "loc" and is_list(place) and place and why):
        return None
    return None if key == "loc" and not is_list(place) else _at(_steps(place), why, words or "")


def _in_words(text: str) -> Iterator[Refused]:
    for found in _PYDANTIC_TEXT.finditer(text):
        yield _at(_steps(found[1].replace(" -> ", ".")), found[2], "")
    for found in _LACKING.finditer(text):
        for name in _QUOTED.finditer(found[1] or found[2]):
            yield _at((name[1] or name[2],), "missing", "")
    for found in _NAMED.finditer(text):
        yield _at((found[1] or found[2] or found[3],), "", text[max(0, found.start() - 60) : found.end() + 60])


def _in_sentences(said: object) -> Iterator[Refused]:
    """The problems in a list of sentences that begin with the name of a field."""
    for sentence in said[:_MAX_PROBLEMS] if is_list(said) else ():
        found = _SENTENCE.match(sentence) if isinstance(sentence, str) else None
        if found is not None:
            # A property that should not exist is one that no schema declares.
            yield _at(_steps(found[2]), "unrecognized_keys" if found[1] else "", str(sentence)[:_MOST_WORDS])


def _at(steps: Sequence[str | int], why: str, words: str) -> Refused:
    first = steps[0] if steps else ""
    location = first if isinstance(first, str) and first in _LOCATIONS else ""
    return Refused(location, tuple(steps[1:] if location else steps), why, words)


def _steps(place: object) -> tuple[str | int, ...]:
    if is_list(place):
        return tuple(step if type(step) is int else str(step) for step in place)
    written = str(place).lstrip("#$").replace("/", ".").replace("[", ".").replace("]", "")
    return tuple(int(part) if part.isdecimal() and len(part) < 9 else part for part in written.split(".") if part)
