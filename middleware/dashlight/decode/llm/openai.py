"""Answers in OpenAI's words, of chats and of completions, whole or in chunks.

https://platform.openai.com/docs/api-reference/chat, https://platform.openai.com/docs/api-reference/completions
"""

from collections.abc import Mapping, Sequence

from dashlight.decode.llm.draft import MAX_CHOICES, Choice, Draft
from dashlight.decode.rows.generation import text_of
from dashlight.decode.rows.jsonvalue import fields_of, is_list, is_object


def add_choices(draft: Draft, fields: Mapping[str, object]) -> bool:
    """Add an answer, or a chunk of one, to *draft*; whether it is one.

    A chunk without choices brings the usage. Pieces belong together by the index of their choice, pieces of tool calls
    by the index of the call as well.
    """
    choices = fields.get("choices")
    if not is_list(choices):
        return False
    # Of thousands of chunks each says who sends it.
    if not draft.id:
        draft.add_names(fields)
    if fields.get("usage"):
        draft.add_usage(fields["usage"])
    for place, said in enumerate(choices[:MAX_CHOICES]):
        if is_object(said):
            choice = draft.choice(said.get("index"), otherwise=place)
            choice.add_text(said.get("text"))
            choice.end(said.get("finish_reason"))
            # A whole answer has a message, a chunk a delta; some servers send both keys, one of them null.
            _add_message(choice, fields_of(said.get("message")) or fields_of(said.get("delta")))
    return True


def _add_message(choice: Choice, message: Mapping[str, object]) -> None:
    choice.add_text(text_of(message.get("content")))
    choice.add_refusal(message.get("refusal"))
    calls, older = message.get("tool_calls"), message.get("function_call")
    if is_list(calls):
        _add_calls(choice, calls)
    elif is_object(older):
        # The only call of a message, before there were several.
        choice.add_call(older.get("name"), older.get("arguments"), index=0, otherwise=0)


def _add_calls(choice: Choice, calls: Sequence[object]) -> None:
    for place, call in enumerate(map(fields_of, calls[:MAX_CHOICES])):
        # `function` for functions; a tool of free text calls its part `custom`, and what it is given `input`.
        asked = fields_of(call.get("function")) or fields_of(call.get("custom"))
        arguments = asked.get("arguments", asked.get("input"))
        choice.add_call(asked.get("name"), arguments, index=call.get("index"), otherwise=place)
