"""Answers in Ollama's words, of chats and of completions, whole or as lines of JSON.

https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from collections.abc import Mapping

from dashlight.decode.llm.draft import MAX_CHOICES, Draft
from dashlight.decode.rows.jsonvalue import fields_of, is_list, is_object


def add_turn(draft: Draft, fields: Mapping[str, object]) -> bool:
    """Add an answer, or a line of one, to *draft*; whether it is one. The last line says how many tokens there were."""
    if not isinstance(fields.get("done"), bool) or not (is_object(fields.get("message")) or "response" in fields):
        return False
    draft.add_names(fields)
    choice = draft.choice()
    message = fields_of(fields.get("message"))
    choice.add_text(message.get("content", fields.get("response")))
    calls = message.get("tool_calls")
    for call in calls[:MAX_CHOICES] if is_list(calls) else ():
        asked = fields_of(fields_of(call).get("function"))
        # Each call comes whole, in whichever line.
        choice.add_call(asked.get("name"), asked.get("arguments"), index=len(choice.calls), otherwise=0)
    choice.end(fields.get("done_reason"))
    draft.add_usage({"input_tokens": fields.get("prompt_eval_count"), "output_tokens": fields.get("eval_count")})
    return True
