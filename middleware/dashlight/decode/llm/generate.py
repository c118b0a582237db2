"""Answers of servers that complete a text: TGI's, Triton's, and events of no protocol that hold a text somewhere.

https://huggingface.github.io/text-generation-inference/,
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_generate.md
"""

from collections.abc import Mapping

from dashlight.decode.llm.draft import MAX_CHOICES, Draft
from dashlight.decode.rows.jsonvalue import fields_of, is_list, is_object
from dashlight.privacy.names import MAX_NAME_LENGTH

_WORD_OR_CREDENTIAL = "token"
_TEXT_KEYS = (
    "text",
    "content",
    "delta",
    _WORD_OR_CREDENTIAL,
    "response",
    "message",
    "output",
    "answer",
    "reply",
    "chunk",
    "completion",
)
"""Where applications put the next piece of a text, most telling first."""


def add_generated(draft: Draft, fields: Mapping[str, object]) -> bool:
    """Add an answer of TGI or Triton, or an event of one, to *draft*; whether it is one."""
    if "text_output" in fields:
        _add_triton(draft, fields)
        return True
    token = fields.get("token")
    if "generated_text" not in fields and not (is_object(token) and "text" in token):
        return False
    choice = draft.choice()
    piece = fields_of(token)
    if piece.get("special") is not True:
        choice.add_text(piece.get("text"))
    whole = fields.get("generated_text")
    if isinstance(whole, str):
        # The last event repeats what came in tokens before.
        choice.texts[:] = [whole]
    details = fields_of(fields.get("details"))
    choice.end(details.get("finish_reason"))
    draft.add_usage({"output_tokens": details.get("generated_tokens"), "input_tokens": _read_tokens(details)})
    return True


def add_piece(draft: Draft, fields: Mapping[str, object]) -> bool:
    """Add an event of no known protocol to *draft* where it holds a text; whether it does.

    A token in an answer that is no stream is a credential sooner than a word.
    """
    for key in _TEXT_KEYS:
        value = fields.get(key) if draft.is_streamed or key != _WORD_OR_CREDENTIAL else None
        text = value if isinstance(value, str) else fields_of(value).get("text", fields_of(value).get("content"))
        if isinstance(text, str):
            draft.choice().add_text(text)
            draft.choice().end(fields.get("finish_reason", fields.get("done_reason")))
            return True
    return False


def _add_triton(draft: Draft, fields: Mapping[str, object]) -> None:
    said = fields["text_output"]
    for place, text in enumerate(said[:MAX_CHOICES] if is_list(said) else (said,)):
        draft.choice(place).add_text(text)
    model, version, request_id = (fields.get(key) for key in ("model_name", "model_version", "id"))
    draft.model = model[:MAX_NAME_LENGTH] if isinstance(model, str) else draft.model
    draft.version = str(version)[:MAX_NAME_LENGTH] if isinstance(version, str | int) else draft.version
    draft.id = str(request_id)[:MAX_NAME_LENGTH] if isinstance(request_id, str | int) else draft.id


def _read_tokens(details: Mapping[str, object]) -> object:
    """How many tokens the question has: said in streams, elsewhere listed where the client asks for them."""
    prefill = details.get("prefill")
    return len(prefill) if is_list(prefill) and prefill else details.get("input_length")
