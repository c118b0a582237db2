"""How alarms on performance are put: `accuracy fell from 90 % to 85 %`, and where. Pure."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from dashlight.judge.performance.losses import LossScale
from dashlight.judge.words import number, percent, told_apart
from dashlight.labels.rows import Floats, Task
from dashlight.records import BinShare, Cause

LEAST_MOVED = 0.01
"""Of loss: less is as before."""
CLEAR = 3.0
"""Standard errors beyond which a bin surely became worse."""


@dataclass(frozen=True, slots=True)
class LossMeasure:
    """What a loss is called, and how it is told."""

    task: Task
    scale: LossScale

    @property
    def name(self) -> str:
        """`accuracy`, `Brier score`, `mean absolute error`, `click rate` or `mean grade`."""
        if self.task == "ranking":
            return "click rate"
        if self.task == "text":
            return "mean grade"
        return {"error": "accuracy", "squared_error": "Brier score", "absolute_error": "mean absolute error"}[
            self.scale.name
        ]

    @property
    def axis(self) -> str:
        """What its bins are of."""
        return "prediction" if self.task == "regression" else "score"

    @property
    def is_better_higher(self) -> bool:
        """Whether more is better."""
        return self.task in {"ranking", "text"} or self.scale.name == "error"

    def value(self, loss: float) -> float:
        """The measure where the mean loss is *loss*."""
        raw = loss * self.scale.scale + self.scale.origin
        if self.task == "text":
            return -raw
        return 1 - raw if self.is_better_higher else raw

    def moved(self, before: float, after: float, verb: str = "") -> str:
        """The sentence that it moved between two mean losses, to the worse: `accuracy fell from 90 % to 85 %`."""
        low, high = self.told(before, after)
        return f"{self.name} {verb or ('fell' if self.is_better_higher else 'rose')} from {low} to {high}"

    def shown(self, loss: float) -> str:
        """A mean loss as the measure that it stands for: `89 %`."""
        value = self.value(loss)
        return percent(value) if self.is_share else number(value)

    @property
    def is_share(self) -> bool:
        """Whether it is a share of rows, told as a percentage."""
        return self.task in {"binary", "multiclass", "ranking"} and self.scale.name == "error"

    def told(self, before: float, after: float) -> tuple[str, str]:
        """Two mean losses, as the measure that they stand for."""
        values = self.value(before), self.value(after)
        if self.is_share:
            texts = percent(values[0]), percent(values[1])
            return texts if texts[0] != texts[1] else (f"{100 * values[0]:.2f} %", f"{100 * values[1]:.2f} %")
        return told_apart(*values)


def bin_names(scale: LossScale) -> tuple[str, ...]:
    """Each bin of the score in words: `below 0.2`, `0.2 to 0.4`, `from 0.8 on`."""
    edges = [number(float(edge)) for edge in scale.edges]
    if not edges:
        return ("any",)
    inner = [f"{low} to {high}" for low, high in pairwise(edges)]
    return f"below {edges[0]}", *inner, f"from {edges[-1]} on"


def where_of(measure: LossMeasure, sums: Floats, variances: Floats) -> str:
    """In which bins of the score losses surely rose, as the end of a sentence; empty where it is all of them, or none.

    *sums*: rows, losses and what was expected, shape (bins, 3).
    """
    rows, losses, expected = np.moveaxis(sums, -1, 0)
    excess = losses - expected
    deviates = excess / np.sqrt(np.maximum(rows * variances, 1e-12))
    clear = np.flatnonzero((deviates > CLEAR) & (excess > 0))
    if not len(clear) or len(clear) > len(rows) / 2:
        return ""
    most = clear[np.argsort(-excess[clear])][:2]
    names, places = bin_names(measure.scale), list[int](most.tolist())
    share = float(excess[most].sum()) / float(np.maximum(excess, 0).sum())
    return f"; {percent(share)} of it at {measure.axis}s {' and '.join(names[place] for place in places)}"


def cause_of(measure: LossMeasure, sums: Floats) -> Cause:
    """What moved, with the mean loss of every bin of the score before and after."""
    rows, losses, expected = np.moveaxis(sums, -1, 0)
    total = max(float(rows.sum()), 1e-12)
    at_least = np.maximum(rows, 1e-12)
    bins = tuple(
        BinShare(f"{measure.axis} {name}", float(before), float(after))
        for name, before, after in zip(bin_names(measure.scale), expected / at_least, losses / at_least, strict=True)
    )
    before, after = measure.value(float(expected.sum()) / total), measure.value(float(losses.sum()) / total)
    return Cause(measure.name, before, after, bins if len(bins) > 1 else ())


def rest_words(measure: LossMeasure, sums: Floats, variance: float) -> str:
    """How all rows but those of a segment do, as the end of a sentence.

    *sums*: rows, losses and what was expected, shape (3,); *variance* of the loss of one row.
    """
    rows, losses, expected = sums.tolist()
    before, after = expected / rows, losses / rows
    moved, clear = after - before, LEAST_MOVED + CLEAR * (variance / rows) ** 0.5
    if moved > clear:
        return f"; of all other rows {measure.moved(before, after)} too"
    return f"; all other rows are {'as before' if moved >= -clear else 'better than before'} ({measure.shown(after)})"


def inputs_moved(measure: LossMeasure, *, usual: float, expected: float, rows: int) -> str:
    """The sentence of the light for the inputs: by its scores alone the model is expected to do worse. Mean losses."""
    low, high = measure.told(usual, expected)
    return f"the inputs moved: by the scores of {rows:,} rows {measure.name} is expected to go from {low} to {high}"


def world_moved(measure: LossMeasure, *, expected: float, realised: float) -> str:
    """The sentence of the light for the world: labels say what no input explains. Mean losses."""
    low, high = measure.told(expected, realised)
    return f"the world moved: {measure.name} is {high}, where the scores lead to expect {low}"
