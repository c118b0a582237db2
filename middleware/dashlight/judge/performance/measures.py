"""From counts of labelled rows to figures with intervals, beside those of the reference. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from dashlight.judge.performance.classes import class_measures, class_words
from dashlight.judge.performance.measure import Measure, deviate
from dashlight.judge.performance.numbers import grade_measures, number_measures, place_measures
from dashlight.window.performance.classified import is_of_two
from dashlight.window.performance.counts import PerformanceCounts

LEVEL = 0.95


def measures(
    counts: PerformanceCounts, level: float = LEVEL, *, reference: PerformanceCounts | None = None
) -> tuple[Measure, ...]:
    """All measures that *counts* allow, with intervals of *level*; one that cannot be said is left out.

    *reference*: counts of the reference's own rows (`counts_of_reference`), measured by the same code.
    """
    z = deviate(level)
    words = _class_words(counts, reference)
    own = _measured(counts, words, z)
    # Other classes are called otherwise, or would be others of one name.
    if reference is None or (reference.task, reference.classes) != (counts.task, counts.classes):
        return tuple(own)
    usual = {each.name: each.value for each in _measured(reference, words, z)}
    return tuple(replace(each, reference=usual.get(each.name)) for each in own)


def _class_words(counts: PerformanceCounts, reference: PerformanceCounts | None) -> list[str]:
    if counts.classified is None:
        return []
    same = reference is not None and reference.classes == counts.classes
    both = [each.classified for each in (counts, reference if same else None) if each is not None]
    return class_words(counts.classes, *(each for each in both if each is not None))


def _measured(counts: PerformanceCounts, words: Sequence[str], z: float) -> list[Measure]:
    if counts.classified is not None:
        is_binary = is_of_two(counts.task, counts.classes)
        return class_measures(counts.classified, words, z, is_binary=is_binary)
    if counts.numeric is not None:
        return number_measures(counts.numeric, z)
    if counts.places is not None:
        return place_measures(counts.places, z)
    return [] if counts.grades is None else grade_measures(counts.grades, z)
