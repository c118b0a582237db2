"""OpenAI's older completions: one text or several in, as many out.

https://platform.openai.com/docs/api-reference/completions
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from dashlight.decode.llm.columns import prompt_columns
from dashlight.decode.llm.draft import MAX_CHOICES
from dashlight.decode.llm.prompt import Prompt, text_prompt
from dashlight.decode.llm.reading import answered_reading, read_generation
from dashlight.decode.llm.stream_answer import draft_of
from dashlight.decode.rows.columns import Sheet
from dashlight.decode.rows.generation import Generation
from dashlight.decode.rows.jsonvalue import fields_of, is_list
from dashlight.decode.rows.reading import Content, Place, Protocol, Reading, claims_nothing
from dashlight.decode.rows.reasons import undecodable

_PATH = re.compile(r"(?:^|/)(?:deployments/(?P<model>[^/]+)/|v1/|engines/[^/]+/)completions$")


def read(request: Content, answer: Content | None, place: Place) -> Reading:
    """One row for each prompt, a text or the tokens of one, and the first choice of its answers."""
    asked = fields_of(request.value)
    prompts = _prompts(asked)
    if len(prompts) == 1:
        return read_generation(prompts[0], asked, answer, place, operation="text_completion")
    draft = None if answer is None else draft_of(answer)
    is_streamed = draft is not None and draft.is_streamed
    rows = [prompt_columns(prompt, tokens=None, is_streamed=is_streamed) for prompt in prompts]
    features = Sheet(tuple(rows[0]), [tuple(row.values()) for row in rows])
    generation = Generation(
        input_text=prompts[0].text,
        is_streamed=is_streamed,
        estimate={"input": sum(prompt.tokens for prompt in prompts)},
        operation="text_completion",
    )
    return answered_reading(Reading(features, None, place.model, place.version), draft, asked, prompts, generation)


def _prompts(asked: Mapping[str, object]) -> Sequence[Prompt]:
    said = asked.get("prompt")
    if isinstance(said, str):
        return [text_prompt(said, asked)]
    if not is_list(said) or not said:
        raise undecodable("unknown_layout", "no prompt")
    if all(type(token) is int for token in said):
        return [_of_tokens(said, asked)]
    return [
        _of_tokens(prompt, asked) if is_list(prompt) else text_prompt(prompt if isinstance(prompt, str) else "", asked)
        for prompt in said[:MAX_CHOICES]
    ]


def _of_tokens(tokens: Sequence[object], asked: Mapping[str, object]) -> Prompt:
    """A prompt of which only the numbers of its tokens are told: what it says nobody knows, how long it is they do."""
    return replace(text_prompt("", asked), tokens=len(tokens))


PROTOCOL: Final = Protocol(
    "openai_completions", (_PATH,), frozenset(), claims_nothing, read, is_read_by_shape=False, rank=40
)
