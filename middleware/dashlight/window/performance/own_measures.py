"""Metrics of somebody's own, of the newest labelled rows: what goes wrong in one costs that figure alone."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, TypeAlias

import numpy as np

from dashlight.errors import traced
from dashlight.window.performance.newest_rows import NewestRows

OwnMeasure: TypeAlias = Callable[[Any, Any, Any], Any]
"""Gives a number of labels, predictions and scores, three arrays of one shape (see LabelledRows for what stands in them)."""

CPU_SHARE: Final = 0.005
"""Of one core, that all of them together may take on average."""
MOST_SECONDS: Final = 2.0
"""Of CPU. One that took longer once is not called again: it keeps everything else waiting while it runs."""
LEAST_SECONDS: Final = 60.0
"""Between two calls."""


@dataclass(frozen=True, slots=True)
class OwnFigure:
    """What a metric of somebody's own gave last."""

    name: str
    value: float
    rows: int


class OwnMeasures:
    """Calls metrics now and then, each on the newest rows of every model.

    A call cannot be interrupted, so that its cost is bounded by counting it: who took c seconds of CPU is called again
    after c * calls / CPU_SHARE seconds at the earliest (calls: metrics times models), and one that took more than MOST_SECONDS no more.
    """

    def __init__(self, metrics: Mapping[str, OwnMeasure], cpu_seconds: Callable[[], float]) -> None:
        """*metrics* by name; *cpu_seconds* is the reading of a clock of this thread's CPU time."""
        self._metrics = dict(metrics)
        self._cpu_seconds = cpu_seconds
        self._next_at: dict[tuple[str, str], float] = {}
        self._figures: dict[tuple[str, str], OwnFigure] = {}
        self._news: list[str] = []
        self._told: set[str] = set()
        self.mistakes: Counter[str] = Counter()
        """By name, how often it raised, or gave no number."""

    def figures(self, model: str, newest: NewestRows, at: float) -> list[OwnFigure]:
        """What each gives, or gave last, of the newest rows of *model*; none that went wrong last time."""
        found: list[OwnFigure] = []
        for name in list(self._metrics):
            key = model, name
            if newest.row_count and at >= self._next_at.get(key, at):
                self._call(model, name, newest, at)
            figure = self._figures.get(key)
            if figure is not None:
                found.append(figure)
        return found

    def forget(self, model: str) -> None:
        """Let go of what is known of *model*, which is no longer watched."""
        for name in list(self._metrics):
            self._next_at.pop((model, name), None)
            self._figures.pop((model, name), None)

    def news(self) -> list[str]:
        """Sentences to be told since it was asked last; each mistake once, without what a value may have been in it."""
        news, self._news = self._news, []
        return news

    def _call(self, model: str, name: str, newest: NewestRows, at: float) -> None:
        self._figures.pop((model, name), None)
        arrays = newest.arrays()
        began = self._cpu_seconds()
        try:
            with np.errstate(all="ignore"):
                value = _finite(self._metrics[name](*arrays))
            self._figures[model, name] = OwnFigure(name, value, arrays[0].size)
        except (Exception, SystemExit) as error:
            self.mistakes[name] += 1
            self._tell(name, f"the metric {name} fails ({traced(error)}); its figure is left out")
        spent = self._cpu_seconds() - began
        key = model, name
        self._next_at[key] = at
        self._next_at[key] = at + max(LEAST_SECONDS, spent * len(self._next_at) / CPU_SHARE)
        if spent > MOST_SECONDS:
            del self._metrics[name]
            self._figures = {key: figure for key, figure in self._figures.items() if key[1] != name}
            self._news.append(f"the metric {name} took {spent:.1f} s of CPU, more than {MOST_SECONDS:g}; it is off")

    def _tell(self, name: str, sentence: str) -> None:
        if name not in self._told:
            self._told.add(name)
            self._news.append(sentence)


def _finite(value: Any) -> float:
    number = float(value)
    if not isfinite(number):
        raise ValueError("expected a finite number")
    return number
