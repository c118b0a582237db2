"""A plan: what the exchanges of one route have in common, compiled into typed decoders."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from dashlight.decode.compiled.as_sent import AsSent, as_sent
from dashlight.decode.compiled.extract import Extractor, Getter, Steps, extractor, path_of
from dashlight.decode.compiled.readers import reader_of
from dashlight.decode.compiled.shapes import Fields, Items, Leaf, Shape, Sort
from dashlight.decode.protocols.detect import protocol_of
from dashlight.decode.rows.answers import MODEL_KEYS, VERSION_KEYS
from dashlight.decode.rows.columns import Sheet
from dashlight.decode.rows.failures import (
    CONFESSING_KEYS,
    ERROR_KEYS,
    failure_inside,
    has_message,
)
from dashlight.decode.rows.matching.prediction_ids import column_called, id_column
from dashlight.decode.rows.matching.returned_inputs import have_shared_names
from dashlight.decode.rows.matching.row_keys import parted
from dashlight.decode.rows.reading import Content, Place
from dashlight.decode.rows.selection import EVERYTHING, Selection, with_named_ids
from dashlight.errors import DecodeError
from dashlight.records import Role

_TEXT: Final[frozenset[Sort]] = frozenset({"text"})
_NULL: Final[frozenset[Sort]] = frozenset({"null"})
_GUARDED_LEVELS: Final = 2
"""Of an answer, at which it may say that it is none: see `failure_inside`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to decode the usual exchange of a route: one row asked, one row answered, of known shapes."""

    protocol: str
    read_request: Callable[[bytes], object]
    """Raises ValueError or RecursionError where a body has not the shape."""
    read_answer: Callable[[bytes], object]
    features: Extractor
    outputs: Extractor
    features_as_sent: AsSent
    outputs_as_sent: AsSent
    may_return_inputs: bool
    """Whether a feature and an output have one name."""
    model: tuple[Getter, ...] | None
    """The way to the model's name in an answer; None where the answer does not say it."""
    version: tuple[Getter, ...] | None
    confessions: tuple[tuple[tuple[Getter, ...], bool], ...]
    """Ways to truth values of an answer, and the value that says that there is none."""
    asked_id: tuple[Getter, ...] | None
    """The way to what a request calls its prediction; None where it does not, likewise the two that follow."""
    answered_id: tuple[Getter, ...] | None
    """To what the answer calls it."""
    entity: tuple[Getter, ...] | None
    """To whom it is about."""


@dataclass(slots=True)
class _Marks:
    """Where each scalar of a value stands in which every scalar is different."""

    next_mark: int
    step: int = 1
    """From one mark to the next."""
    steps: dict[object, Steps] = field(default_factory=dict[object, Steps])
    sorts: dict[Steps, frozenset[Sort]] = field(default_factory=dict[Steps, frozenset[Sort]])


@dataclass(frozen=True, slots=True)
class _Ways:
    """Where the columns of an exchange come from."""

    protocol: str
    features: tuple[tuple[str, Steps], ...]
    outputs: tuple[tuple[str, Steps], ...]
    model: Steps | None
    """None where the path says it, or nobody."""
    version: Steps | None
    asked_id: Steps | None
    answered_id: Steps | None
    entity: Steps | None


def compile_plan(asked: Shape, answered: Shape, place: Place, *, selection: Selection = EVERYTHING) -> Plan | None:
    """The plan for exchanges of these shapes, or None where shapes alone do not tell how to read them.

    The protocol's own reader is asked twice, with values in which every scalar is different, ascending and descending:
    where each comes out both times, as which column, is where it will always come out. So both ways to read give the
    same tables.
    """
    if not (_is_plannable(asked) and _is_plannable(answered) and _tells_model_as_text(answered)):
        return None
    try:
        ways = _ways((asked, answered), place, selection, _Marks(0), _Marks(1_000_000))
        others = _ways((asked, answered), place, selection, _Marks(3_000_000, -1), _Marks(4_000_000, -1))
        if ways is None or ways != others:
            return None
        return Plan(
            protocol=ways.protocol,
            read_request=reader_of(asked, whole=_ways_to_ids(ways.asked_id, ways.entity)),
            read_answer=reader_of(answered, guarded=_GUARDED_LEVELS, whole=_ways_to_ids(ways.answered_id)),
            features=extractor(dict(ways.features), _sorts(asked)),
            outputs=extractor(dict(ways.outputs), _sorts(answered)),
            features_as_sent=as_sent(dict(ways.features), asked),
            outputs_as_sent=as_sent(dict(ways.outputs), answered),
            may_return_inputs=have_shared_names(tuple(dict(ways.features)), tuple(dict(ways.outputs))),
            model=None if ways.model is None else path_of(ways.model),
            version=None if ways.version is None else path_of(ways.version),
            confessions=tuple(_confessions(answered)),
            asked_id=None if ways.asked_id is None else path_of(ways.asked_id),
            answered_id=None if ways.answered_id is None else path_of(ways.answered_id),
            entity=None if ways.entity is None else path_of(ways.entity),
        )
    except (DecodeError, ValueError):
        # ValueError: keys that msgspec takes for no name of a field, with quotation marks or control characters.
        return None


def _ways(
    shapes: tuple[Shape, Shape], place: Place, selection: Selection, request_marks: _Marks, answer_marks: _Marks
) -> _Ways | None:
    """Where the marked values of both bodies come out; None where one does not, or another value does."""
    request = _marked(shapes[0], (), request_marks)
    answer = _marked(shapes[1], (), answer_marks)
    protocol, _ = protocol_of(request, place)
    if not protocol.is_read_by_shape or failure_inside(answer) is not None:
        return None
    reading = protocol.read(_content(request), _content(answer), place)
    features, answers = parted(reading.features, reading.outputs or Sheet())
    located = _located(features, request_marks, "feature", selection)
    outputs = _located(answers, answer_marks, "output", selection)
    if located is None or outputs is None:
        return None
    model, version = answer_marks.steps.get(reading.model), answer_marks.steps.get(reading.version)
    return _Ways(
        protocol=protocol.name,
        features=tuple(located.items()),
        outputs=tuple(outputs.items()),
        model=model,
        version=version,
        asked_id=_way_to(id_column(features), request_marks),
        answered_id=_way_to(id_column(answers), answer_marks),
        entity=_way_to(column_called(selection.entity, features), request_marks),
    )


def _is_plannable(shape: Shape) -> bool:
    # Without a key that is sometimes missing, a list beside it may be all that is left, and so be rows.
    return not (_holds(shape, Items) and _is_ever_optional(shape))


def _holds(shape: Shape, kind: type) -> bool:
    parts = [part for _, part in shape.shapes] if isinstance(shape, Fields) else []
    return isinstance(shape, kind) or any(_holds(part, kind) for part in parts)


def _is_ever_optional(shape: Shape) -> bool:
    if isinstance(shape, Leaf):
        return False
    if isinstance(shape, Items):
        return any(map(_is_ever_optional, shape.shapes))
    return bool(shape.optional) or any(_is_ever_optional(part) for _, part in shape.shapes)


def _tells_model_as_text(answered: Shape) -> bool:
    """Whether what an answer says of model and version is text or null, under one key each."""
    if not isinstance(answered, Fields):
        return True
    for keys in (MODEL_KEYS, VERSION_KEYS):
        told = [part for key, part in answered.shapes if key in keys]
        if len(told) > 1 or any(not isinstance(part, Leaf) or part.sorts - _NULL != _TEXT for part in told):
            return False
    return True


def _marked(shape: Shape, steps: Steps, marks: _Marks) -> object:
    if isinstance(shape, Fields):
        return {key: _marked(part, (*steps, f"f{at}"), marks) for at, (key, part) in enumerate(shape.shapes)}
    if isinstance(shape, Items):
        return [_marked(part, (*steps, at), marks) for at, part in enumerate(shape.shapes)]
    marks.next_mark += marks.step
    mark = f"\0{marks.next_mark}" if shape.sorts - _NULL == _TEXT else marks.next_mark + 0.5
    marks.steps[mark] = steps
    marks.sorts[steps] = shape.sorts
    return mark


def _sorts(shape: Shape) -> Mapping[Steps, frozenset[Sort]]:
    """What may stand at the end of each way."""
    marks = _Marks(0)
    _marked(shape, (), marks)
    return marks.sorts


def _content(value: object) -> Content:
    return Content(b"", "application/json", (), value)


def _located(sheet: Sheet, marks: _Marks, role: Role, selection: Selection) -> dict[str, Steps] | None:
    """Where the selected cells of the one row of *sheet* come from, by name of the column."""
    sheet = with_named_ids(sheet, role, selection)
    if len(sheet.values) != 1:
        return None
    found: dict[str, Steps] = {}
    for name, cell in zip(sheet.names, sheet.values[0], strict=True):
        steps = marks.steps.get(cell) if isinstance(cell, str | float) else None
        if steps is None:
            return None
        if selection.fate(name, role) is None:
            found[name] = steps
    return found


def _way_to(column: Sequence[object] | None, marks: _Marks) -> Steps | None:
    """Where the one value of *column* comes from; None where there is none, or it is no scalar."""
    mark = column[0] if column else None
    return marks.steps.get(mark) if isinstance(mark, str | float) else None


def _ways_to_ids(*ways: Steps | None) -> frozenset[Steps]:
    return frozenset(way for way in ways if way is not None)


def _confessions(answered: Shape, steps: Steps = (), level: int = 1) -> Iterator[tuple[tuple[Getter, ...], bool]]:
    if level > _GUARDED_LEVELS:
        return
    if isinstance(answered, Items) and len(answered.shapes) == 1:
        yield from _confessions(answered.shapes[0], (*steps, 0), level)
    if not isinstance(answered, Fields):
        return
    keys = [key for key, _ in answered.shapes]
    for at, (key, part) in enumerate(answered.shapes):
        way = (*steps, f"f{at}")
        # Below the first level a truth value may be the model's own: see `is_confession_inside`.
        denies = key in CONFESSING_KEYS and (level == 1 or has_message(keys))
        if isinstance(part, Leaf) and "flag" in part.sorts and (denies or (key in ERROR_KEYS and level == 1)):
            yield (path_of(way), key in ERROR_KEYS)
        yield from _confessions(part, way, level + 1)
