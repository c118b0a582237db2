"""Answers in Anthropic's words: a message of blocks, whole or in events.

https://docs.anthropic.com/en/api/messages, https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

from collections.abc import Mapping
from typing import Final

from dashlight.decode.llm.draft import MAX_CHOICES, Draft
from dashlight.decode.rows.jsonvalue import fields_of, is_list, is_object

EVENTS: Final = frozenset(
    {
        "message", "message_start", "message_delta", "message_stop", "content_block_start", "content_block_delta",
        "content_block_stop", "ping",
    }
)  # fmt: skip
"""Types of the objects that are read here; a whole answer is a `message`."""

_REFUSED: Final = "refusal"
_CALLS: Final = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})


def add_message(draft: Draft, fields: Mapping[str, object]) -> bool:
    """Add an answer, or an event of one, to *draft*; whether it is one.

    What the model thinks is no part of what it says. The usage of later events is cumulative.
    """
    kind = fields.get("type")
    if not isinstance(kind, str) or kind not in EVENTS:
        return False
    if kind in {"message", "message_start"}:
        message = fields if kind == "message" else fields_of(fields.get("message"))
        draft.add_names(message)
        draft.add_usage(message.get("usage"))
        blocks = message.get("content")
        for place, block in enumerate(blocks[:MAX_CHOICES] if is_list(blocks) else ()):
            _add_block(draft, fields_of(block), index=place)
        _end(draft, message)
    elif kind == "content_block_start":
        _add_block(draft, fields_of(fields.get("content_block")), index=fields.get("index"))
    elif kind == "content_block_delta":
        _add_delta(draft, fields_of(fields.get("delta")), index=fields.get("index"))
    elif kind == "message_delta":
        draft.add_usage(fields.get("usage"))
        _end(draft, fields_of(fields.get("delta")))
    return True


def _add_block(draft: Draft, block: Mapping[str, object], *, index: object) -> None:
    choice = draft.choice()
    kind = block.get("type")
    if kind == "text":
        choice.add_text(block.get("text"))
    elif isinstance(kind, str) and kind in _CALLS:
        given = block.get("input")
        # In a stream the input begins as an empty object; its text follows.
        choice.add_call(block.get("name"), given if is_object(given) else None, index=index, otherwise=0)


def _add_delta(draft: Draft, delta: Mapping[str, object], *, index: object) -> None:
    choice = draft.choice()
    if delta.get("type") == "text_delta":
        choice.add_text(delta.get("text"))
    elif delta.get("type") == "input_json_delta":
        choice.add_call(None, delta.get("partial_json"), index=index, otherwise=0)


def _end(draft: Draft, fields: Mapping[str, object]) -> None:
    choice = draft.choice()
    choice.end(fields.get("stop_reason"))
    if choice.finish == _REFUSED and not choice.refusals:
        choice.add_refusal(choice.text or _REFUSED)
