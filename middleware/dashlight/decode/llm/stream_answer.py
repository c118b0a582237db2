"""The answer of a language model, whole or streamed, in whichever protocol's words it comes."""

from collections.abc import Iterable, Mapping
from typing import Final

from dashlight.decode.formats.bodies import parse_json
from dashlight.decode.formats.sse import EVENT_STREAM, MAX_EVENTS, Stream, read_stream
from dashlight.decode.llm.anthropic import add_message
from dashlight.decode.llm.draft import Draft
from dashlight.decode.llm.generate import add_generated, add_piece
from dashlight.decode.llm.ollama import add_turn
from dashlight.decode.llm.openai import add_choices
from dashlight.decode.llm.responses import add_response
from dashlight.decode.rows.failures import told_failure
from dashlight.decode.rows.jsonvalue import fields_of, is_list, is_object
from dashlight.decode.rows.reading import Content
from dashlight.errors import DecodeError

_END: Final = "[DONE]"
_DIALECTS = (add_choices, add_response, add_message, add_generated, add_turn)
_ERROR = "error"
_LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonlines", "application/x-jsonlines"})
"""Types of bodies that are one JSON value a line."""


def is_stream(answer: Content) -> bool:
    """Whether *answer* is a stream of events, whatever it calls itself."""
    if answer.media_type == EVENT_STREAM:
        return True
    return isinstance(answer.value, str) and answer.value.startswith(("data:", "event:"))


def draft_of(answer: Content) -> Draft:
    """What *answer* says: a JSON object, a list of them (lines of JSON), or a stream. It never raises."""
    if is_stream(answer):
        return streamed_draft(answer.body)
    draft = Draft()
    if is_list(answer.value):
        draft.is_streamed = answer.media_type in _LINES
        _add_all(draft, map(fields_of, answer.value[:MAX_EVENTS]))
        _keep_unknown(draft, answer.value)
    elif is_object(answer.value):
        _add(draft, answer.value)
        _keep_unknown(draft, answer.value)
    elif isinstance(answer.value, str):
        draft.choice().add_text(answer.value)
    return draft


def streamed_draft(body: bytes) -> Draft:
    """What the stream in *body* says: events of any protocol, lines of JSON, events of text, or bare text."""
    stream = read_stream((body,))
    draft = Draft(is_streamed=True, is_over_limit=stream.is_over_limit)
    if not stream.events:
        _add_bare(draft, stream.text)
        return draft
    _add_events(draft, stream)
    return draft


def _add_events(draft: Draft, stream: Stream) -> None:
    last = len(stream.events) - 1
    for at, event in enumerate(stream.events):
        if event.data == _END:
            continue
        is_last_cut = stream.is_cut and at == last
        value = _json(event.data)
        if event.name == _ERROR:
            draft.failure = told_failure(event.data if value is None else value, kind="stream")
        elif is_object(value):
            _add(draft, value)
        elif is_last_cut:
            draft.is_cut = True
        else:
            # Text as it is; a text in JSON's quotation marks without them.
            draft.choice().add_text(value if isinstance(value, str) else event.data)


def _add_bare(draft: Draft, text: str) -> None:
    lines = text.splitlines() if text.startswith("{") else []
    values = [_json(line) for line in lines[:MAX_EVENTS] if line]
    objects = [value for value in values if is_object(value)]
    if len(objects) == len(values) > 1:
        _add_all(draft, objects)
    else:
        draft.choice().add_text(text)


def _add_all(draft: Draft, values: Iterable[Mapping[str, object]]) -> None:
    for value in values:
        _add(draft, value)


def _add(draft: Draft, fields: Mapping[str, object]) -> None:
    is_known = any(add(draft, fields) for add in _DIALECTS)
    draft.is_known = draft.is_known or is_known
    if _is_error(fields):
        draft.failure = told_failure(fields, kind="stream" if draft.is_streamed else "model")
    elif not is_known and not add_piece(draft, fields):
        draft.rest = fields


def _keep_unknown(draft: Draft, value: object) -> None:
    """Keep a whole answer that nobody's words are in: an application's own, with more than a text in it perhaps."""
    if not draft.is_streamed and not draft.is_known:
        draft.rest = value


def _is_error(fields: Mapping[str, object]) -> bool:
    """Whether an event says that something went wrong; vLLM calls the object itself an error."""
    if fields.get("type") == _ERROR or fields.get("object") == _ERROR:
        return True
    said = fields.get(_ERROR)
    return bool(said) and (said is True or isinstance(said, str | list | dict))


def _json(text: str) -> object:
    try:
        return parse_json(text.encode("utf-8", "replace"))
    except DecodeError:
        return None
