"""Typed decoders of JSON bodies of one shape."""

from collections.abc import Callable
from typing import Annotated, Final, Literal, TypeAlias, cast

import msgspec

from dashlight.decode.compiled.extract import Steps
from dashlight.decode.compiled.shapes import Items, Leaf, Shape, Sort
from dashlight.decode.formats.slow_numbers import has_slow_numbers
from dashlight.decode.rows.failures import (
    CODE_KEYS,
    CONFESSING_KEYS,
    DOUBTFUL_WORDS,
    ERROR_KEYS,
    FAILED_CODE,
    FAILED_WORDS,
    STATUS_KEYS,
    has_code_message,
    has_message,
)

_TEXT: Final[frozenset[Sort]] = frozenset({"text"})
_NULL: Final[frozenset[Sort]] = frozenset({"null"})
_CODE: Final[frozenset[Sort]] = frozenset({"number", "null"})
_NUMBER: Final[frozenset[Sort]] = frozenset({"number"})
_ANY_SCALAR: Final[object] = float | str | bool | None
# msgspec lets an int through as a float, and never a bool.
_TYPES: Final[dict[frozenset[Sort], object]] = {
    _NUMBER: float | None,
    _TEXT: str | None,
    frozenset({"flag"}): bool | None,
}
_Whole: TypeAlias = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
_WHOLE: Final[dict[object, object]] = {
    float | None: float | None | _Whole,
    _ANY_SCALAR: float | str | bool | None | _Whole,
}
_IN_LIST_TYPES: Final[dict[frozenset[Sort], object]] = {
    _NUMBER: float | None,
    _TEXT: str,
    frozenset({"flag"}): bool,
}
_NotFailed: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        pattern=rf"^(?!\s{{0,9}}(?i:{'|'.join(sorted(FAILED_WORDS | DOUBTFUL_WORDS))}|{FAILED_CODE})\s{{0,9}}$)"
    ),
]
_ANY_BUT_FAILED: Final[object] = bool | None | Annotated[float, msgspec.Meta(ge=0, lt=400)] | _NotFailed
_WELL: Final[object] = Literal[0, 200, 201, 202, 204] | None
"""Any other code may say that there is no output, as what stands beside it tells."""
_SHORT_BYTES: Final = 2048
"""What fits into so many is read at once: the slowest numbers take a few milliseconds."""


def reader_of(shape: Shape, *, guarded: int = 0, whole: frozenset[Steps] = frozenset()) -> Callable[[bytes], object]:
    """What reads bodies of *shape*; ValueError or RecursionError where one has not.

    Args:
        shape: Of the bodies.
        guarded: So many levels refuse to say that they are none.
        whole: Ways to numbers whose every digit counts: whole ones are read as such.
    """
    kind = _type(shape, guarded=guarded, whole=whole)
    decode = msgspec.json.Decoder(cast("type[object]", kind)).decode

    def read(body: bytes) -> object:
        if len(body) > _SHORT_BYTES and has_slow_numbers(body):
            raise ValueError("numbers that are slow to read")
        return decode(body)

    return read


def _type(shape: Shape, *, guarded: int, whole: frozenset[Steps], steps: Steps = ()) -> object:
    """The type of which msgspec makes values of *shape*; its first *guarded* levels refuse to say that they are none."""
    if isinstance(shape, Leaf):
        usual = _TYPES.get(shape.sorts - _NULL, _ANY_SCALAR)
        return _WHOLE.get(usual, usual) if steps in whole else usual
    if isinstance(shape, Items):
        within = guarded if len(shape.shapes) == 1 else 0
        parts = [
            _item_type(part, guarded=within, whole=whole, steps=(*steps, at)) for at, part in enumerate(shape.shapes)
        ]
        return tuple[tuple(parts)]  # type: ignore[misc]
    keys = [key for key, _ in shape.shapes]
    is_told = has_message(keys) or has_code_message(keys)
    fields: list[tuple[str, object] | tuple[str, object, None]] = []
    for at, (key, part) in enumerate(shape.shapes):
        kind: object = _type(part, guarded=max(0, guarded - 1), whole=whole, steps=(*steps, f"f{at}"))
        if guarded and isinstance(part, Leaf):
            kind = _guarded_type(key, part.sorts, has_message=is_told) or kind
        fields.append((f"f{at}", kind, None) if key in shape.optional else (f"f{at}", kind))
    return msgspec.defstruct(
        "Body",
        cast("list[tuple[str, type]]", fields),
        rename={f"f{at}": key for at, (key, _) in enumerate(shape.shapes)},
        forbid_unknown_fields=True,
        kw_only=True,
        gc=False,
    )


def _guarded_type(key: str, sorts: frozenset[Sort], *, has_message: bool) -> object | None:
    """The type of what stands under *key* of an answer that says no failure; None where it says nothing of it.

    What it says as a truth value is looked at later, as one of the plan's confessions.
    """
    if key in ERROR_KEYS and not (key in CODE_KEYS and sorts <= _CODE):
        return float | bool | None if "flag" in sorts else float | None
    if key in CONFESSING_KEYS and "flag" not in sorts:
        return float | str | None
    if key in CODE_KEYS and has_message and sorts <= _CODE:
        return _WELL
    return _ANY_BUT_FAILED if key in STATUS_KEYS and has_message else None


def _item_type(shape: Shape, *, guarded: int, whole: frozenset[Steps], steps: Steps) -> object:
    if isinstance(shape, Leaf):
        return _IN_LIST_TYPES[shape.sorts]
    return _type(shape, guarded=guarded, whole=whole, steps=steps)
