"""Answers in the words of OpenAI's Responses API: a list of items, whole or in events.

https://platform.openai.com/docs/api-reference/responses, https://platform.openai.com/docs/api-reference/responses-streaming
"""

from collections.abc import Mapping

from dashlight.decode.llm.draft import MAX_CHOICES, Draft
from dashlight.decode.rows.failures import told_failure
from dashlight.decode.rows.jsonvalue import fields_of, is_list

_PREFIX = "response."
_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed", "response.cancelled"})


def add_response(draft: Draft, fields: Mapping[str, object]) -> bool:
    """Add an answer, or an event of one, to *draft*; whether it is one.

    The last event repeats everything that came in pieces before, and is believed more than they.
    """
    kind = fields.get("type")
    if fields.get("object") == "response":
        _add_whole(draft, fields)
        return True
    if not isinstance(kind, str) or not kind.startswith(_PREFIX):
        return False
    choice = draft.choice()
    piece, place = fields.get("delta"), fields.get("output_index")
    if kind == "response.output_text.delta":
        choice.add_text(piece)
    elif kind == "response.refusal.delta":
        choice.add_refusal(piece)
    elif kind == "response.function_call_arguments.delta":
        choice.add_call(None, piece, index=place, otherwise=0)
    elif kind == "response.output_item.added":
        item = fields_of(fields.get("item"))
        if item.get("type") == "function_call":
            choice.add_call(item.get("name"), None, index=place, otherwise=0)
    elif "response" in fields:
        whole = fields_of(fields["response"])
        draft.add_names(whole)
        if kind in _ENDS:
            _add_whole(draft, whole)
        if kind == "response.failed":
            draft.failure = told_failure(whole.get("error") or whole, kind="stream")
    return True


def _add_whole(draft: Draft, response: Mapping[str, object]) -> None:
    draft.add_names(response)
    draft.add_usage(response.get("usage"))
    items = response.get("output")
    if is_list(items) and items:
        draft.choices.clear()
        for place, item in enumerate(items[:MAX_CHOICES]):
            _add_item(draft, fields_of(item), place=place)
    # `incomplete` says no more than that; the reason is what other servers call the reason why it finished.
    draft.choice().end(fields_of(response.get("incomplete_details")).get("reason") or response.get("status"))


def _add_item(draft: Draft, item: Mapping[str, object], *, place: int) -> None:
    choice = draft.choice()
    if item.get("type") == "function_call":
        choice.add_call(item.get("name"), item.get("arguments"), index=place, otherwise=place)
    elif item.get("type") == "message":
        parts = item.get("content")
        for part in map(fields_of, parts[:MAX_CHOICES] if is_list(parts) else ()):
            choice.add_text(part.get("text"))
            choice.add_refusal(part.get("refusal"))
