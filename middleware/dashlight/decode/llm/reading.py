"""The Reading of an exchange with a language model, from what was asked and the draft of what was answered."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal, TypeAlias

from dashlight.decode.llm.columns import answer_columns, estimated_tokens, prompt_columns, sheet
from dashlight.decode.llm.draft import MAX_CHOICES, Choice, Draft
from dashlight.decode.llm.prompt import Prompt, llm_params
from dashlight.decode.llm.stream_answer import draft_of
from dashlight.decode.rows.answers import read_answer
from dashlight.decode.rows.columns import Sheet
from dashlight.decode.rows.flattening import LeftOut
from dashlight.decode.rows.generation import Generation
from dashlight.decode.rows.reading import ABSENT, Content, Place, Reading
from dashlight.privacy.names import MAX_NAME_LENGTH, is_credential
from dashlight.records import Cell

Operation: TypeAlias = Literal["chat", "text_completion", "embeddings"]
_MOST_LEFT_OUT: Final = 256


def read_generation(
    prompt: Prompt, asked: Mapping[str, object], answer: Content | None, place: Place, *, operation: Operation
) -> Reading:
    """One row: what is asked, and the first choice of what is answered.

    Args:
        prompt: What the request asks.
        asked: The request, for the parameters and the model.
        answer: None where there is none to read.
        place: What the path tells.
        operation: What the model does.
    """
    draft = None if answer is None else draft_of(answer)
    usage = {} if draft is None else draft.usage
    is_streamed = asked.get("stream") is True if draft is None else draft.is_streamed
    features = sheet(prompt_columns(prompt, tokens=usage.get("input"), is_streamed=is_streamed))
    return answered_reading(
        Reading(replace(features, left_out=_left_out(asked)), None, place.model, place.version),
        draft,
        asked,
        [prompt],
        Generation(
            input_text=prompt.text,
            images=prompt.images,
            is_streamed=is_streamed,
            estimate={} if "input" in usage else {"input": prompt.tokens},
            operation=operation,
        ),
    )


def answered_reading(
    reading: Reading,
    draft: Draft | None,
    asked: Mapping[str, object],
    prompts: Sequence[Prompt],
    generation: Generation,
) -> Reading:
    """*reading* with its outputs, and all that request and *draft* tell beside them.

    The model is the one that was asked for, the version the one that says it answered, where that is another.
    """
    requested = _name(asked.get("model"))
    generation = replace(generation, requested_model=requested)
    params = llm_params(asked)
    if draft is None:
        return replace(reading, model=reading.model or requested, params=params, generation=generation)
    model = reading.model or requested or draft.model
    version = reading.version or draft.version or (draft.model if draft.model != model else "")
    flags = {"truncated"} if draft.is_cut else set[str]()
    if draft.is_over_limit:
        flags.add("over_limit")
    return replace(
        reading,
        outputs=None if draft.failure is not None else _outputs(draft, prompts),
        model=model,
        version=version,
        request_id=draft.id,
        params=params,
        flags=reading.flags | flags,
        generation=told_generation(generation, draft),
        failure=draft.failure,
    )


def told_generation(generation: Generation, draft: Draft) -> Generation:
    """*generation* with what *draft* says."""
    choices = [draft.choices[index] for index in sorted(draft.choices)]
    counted = {} if "output" in draft.usage else {"output": estimated_tokens(draft)}
    return replace(
        generation,
        answered_model=draft.model,
        output_text=draft.first.text,
        finish=tuple(choice.finish for choice in choices if choice.finish),
        tool_calls=tuple(choice.calls[index].finished() for choice in choices for index in sorted(choice.calls)),
        usage=draft.usage,
        is_streamed=draft.is_streamed,
        refusals=tuple("".join(choice.refusals) for choice in choices if choice.refusals),
        estimate={**generation.estimate, **counted},
    )


def _outputs(draft: Draft, prompts: Sequence[Prompt]) -> Sheet:
    if not draft.choices and draft.rest is not ABSENT:
        return read_answer(draft.rest, rows=len(prompts)).outputs
    if len(prompts) == 1:
        columns = answer_columns(draft, tokens=draft.usage.get("output"), wants_json=prompts[0].wants_json)
        return sheet(columns) if draft.is_streamed else sheet({**_beside(draft), **columns})
    # So many choices for each prompt, one prompt after the other; usage is told for all of them together.
    rows: list[Mapping[str, object]] = []
    each = max(1, len(draft.choices) // max(1, len(prompts)))
    for at, prompt in enumerate(prompts[:MAX_CHOICES]):
        alone = Draft(choices={0: draft.choices.get(at * each, Choice())}, is_cut=draft.is_cut)
        rows.append(answer_columns(alone, tokens=None, wants_json=prompt.wants_json))
    return Sheet(tuple(rows[0]), [tuple(row.values()) for row in rows]) if rows else Sheet()


def _beside(draft: Draft) -> Mapping[str, Cell]:
    """What an application of its own answers beside the text."""
    if draft.rest is ABSENT:
        return {}
    others = read_answer(draft.rest, rows=1).outputs
    row = others.values[0] if len(others.values) == 1 else ()
    return {name: cell for name, cell in zip(others.names, row, strict=False) if cell != draft.first.text}


def _left_out(asked: Mapping[str, object]) -> Mapping[str, LeftOut]:
    """What became no column under its own name; what is asked became several under others."""
    return {
        key: "credential" if is_credential(key) else "parameter"
        for key in list(asked)[:_MOST_LEFT_OUT]
        if len(key) <= MAX_NAME_LENGTH and key not in {"messages", "prompt", "input", "inputs", "text_input"}
    }


def _name(value: object) -> str:
    return value[:MAX_NAME_LENGTH] if isinstance(value, str) else ""
