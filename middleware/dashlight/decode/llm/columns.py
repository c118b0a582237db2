"""The columns that every exchange with a language model has: lengths, tokens, scripts, how it ended."""

from collections.abc import Mapping
from typing import Final

from dashlight.decode.formats.bodies import parse_json
from dashlight.decode.llm.draft import Draft
from dashlight.decode.llm.prompt import Prompt
from dashlight.decode.llm.text import SCRIPTS, approximate_tokens, looks_like_refusal, script_shares
from dashlight.decode.rows.columns import Sheet
from dashlight.errors import DecodeError
from dashlight.records import Cell

INPUT_TEXT: Final = "input_text"
OUTPUT_TEXT: Final = "output_text"
EMBEDDING: Final = "embedding"


def prompt_columns(prompt: Prompt, *, tokens: int | None, is_streamed: bool) -> Mapping[str, Cell]:
    """The features of *prompt*.

    Args:
        prompt: What is asked.
        tokens: How many the server counted; None where it did not, and they are estimated.
        is_streamed: Whether the answer comes in pieces: servers count tokens in one case and not in the other.
    """
    columns: dict[str, Cell] = {
        INPUT_TEXT: prompt.text,
        "input_characters": prompt.characters,
        "input_tokens": prompt.tokens if tokens is None else tokens,
        "tools": prompt.tools,
        "images": prompt.images,
        "streamed": is_streamed,
        **_scripts("input", prompt.text),
    }
    if prompt.messages is not None:
        columns["messages"] = prompt.messages
    return columns


def answer_columns(draft: Draft, *, tokens: int | None, wants_json: bool) -> Mapping[str, Cell]:
    """The outputs of the first choice of *draft*.

    What a cut answer cannot tell is null: how long it would have been, how it would have ended.

    Args:
        draft: The answer.
        tokens: How many the server counted; None where it did not, and they are estimated.
        wants_json: Whether JSON was asked: only then there is a column of whether it came.
    """
    choice, is_whole = draft.first, not draft.is_cut
    text = choice.text
    said = text or "".join(choice.refusals)
    columns: dict[str, Cell] = {
        OUTPUT_TEXT: text,
        "output_characters": len(text) if is_whole else None,
        "output_tokens": (estimated_tokens(draft) if tokens is None else tokens) if is_whole else None,
        "finish_reason": choice.finish or None,
        "tool_calls": len(choice.calls) if is_whole else None,
        "refusal": bool(choice.refusals) or looks_like_refusal(said),
        "empty_answer": not said.strip() and not choice.calls if is_whole or said.strip() else None,
        **_scripts("output", text),
    }
    if wants_json:
        columns["valid_json"] = _is_json(text) if is_whole and text else None
    return columns


def estimated_tokens(draft: Draft) -> int:
    """About how many tokens all choices of *draft* are, the arguments of their tool calls too."""
    pieces = [
        *(text for choice in draft.choices.values() for text in (*choice.texts, *choice.refusals)),
        *(text for choice in draft.choices.values() for call in choice.calls.values() for text in call.pieces),
    ]
    return approximate_tokens("".join(pieces))


def sheet(columns: Mapping[str, Cell]) -> Sheet:
    """One row of *columns*."""
    return Sheet(tuple(columns), [tuple(columns.values())])


def _scripts(side: str, text: str) -> Mapping[str, Cell]:
    shares = script_shares(text) or (None,) * len(SCRIPTS)
    return {f"{side}_{script}_share": share for script, share in zip(SCRIPTS, shares, strict=True)}


def _is_json(text: str) -> bool:
    try:
        parse_json(text.encode("utf-8", "replace"))
    except DecodeError:
        return False
    return True
