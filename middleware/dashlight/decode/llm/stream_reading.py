"""Streams of applications whose protocol knows none: the answer is the text that came, or the last event."""

from dataclasses import replace
from typing import Final

from dashlight.decode.llm.columns import answer_columns, sheet
from dashlight.decode.llm.draft import Draft
from dashlight.decode.llm.prompt import Prompt, chat_prompt, text_prompt, wants_json
from dashlight.decode.llm.reading import told_generation
from dashlight.decode.llm.stream_answer import is_stream, streamed_draft
from dashlight.decode.rows.answers import read_answer
from dashlight.decode.rows.columns import Sheet
from dashlight.decode.rows.generation import Generation
from dashlight.decode.rows.jsonvalue import fields_of
from dashlight.decode.rows.reading import ABSENT, Content, Reading

_PROMPT_KEYS: Final = ("prompt", "text", "inputs", "input", "question", "query", "message", "text_input", "instruction")
"""What applications call what the user said, most telling first."""


def with_stream(reading: Reading, asked: object, answer: Content | None) -> Reading:
    """*reading* with the outputs of *answer* where that is a stream which the protocol did not read.

    Args:
        reading: The request, read.
        asked: The value of the request.
        answer: None where there is none to read.
    """
    is_read = reading.generation is not None and reading.generation.is_streamed
    if answer is None or is_read or not is_stream(answer):
        return reading
    draft = streamed_draft(answer.body)
    prompt = _prompt(asked)
    flags = {"truncated"} if draft.is_cut else set[str]()
    if draft.is_over_limit:
        flags.add("over_limit")
    asked_for = Generation(
        input_text=prompt.text, images=prompt.images, estimate={"input": prompt.tokens}, operation="text_completion"
    )
    return replace(
        reading,
        outputs=None if draft.failure is not None else _outputs(draft, prompt, rows=len(reading.features.values)),
        model=reading.model or draft.model,
        version=reading.version or draft.version,
        request_id=reading.request_id or draft.id,
        flags=reading.flags | flags,
        generation=told_generation(asked_for, draft),
        failure=reading.failure or draft.failure,
    )


def _outputs(draft: Draft, prompt: Prompt, *, rows: int) -> Sheet:
    if not draft.choices and draft.rest is not ABSENT:
        # Progress, then the answer: the last event counts.
        return read_answer(draft.rest, rows=rows).outputs
    return sheet(answer_columns(draft, tokens=draft.usage.get("output"), wants_json=prompt.wants_json))


def _prompt(asked: object) -> Prompt:
    """What a request of no known layout asks: its messages, or the text under the most telling key."""
    fields = fields_of(asked)
    chat = chat_prompt(fields)
    if chat is not None:
        return chat
    if isinstance(asked, str):
        return text_prompt(asked, {})
    told = next((text for key in _PROMPT_KEYS if isinstance(text := fields.get(key), str)), None)
    only = [value for value in fields.values() if isinstance(value, str)]
    return replace(text_prompt(told or (only[0] if len(only) == 1 else ""), {}), wants_json=wants_json(fields))
