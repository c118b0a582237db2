"""What it costs to count by segment: `python -m benchmarks.segments`; CPU, in microseconds a row.

Rows of 40 columns, one an exchange, decoded before, are counted with no, one and three columns whose values are segments, 32
each, batch by batch in turn, so that what else the machine does meets all three alike. Beside it what a pane of ten seconds
takes when it is posted: all counts, and what segments add to that.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.counting.endpoint import EndpointCounter
from dashlight.counting.kept_rows import LearningRoom
from dashlight.counting.machine import MachinePane
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.records import Exchange, Prediction, Table
from dashlight.store.learned import LearnedReferences
from dashlight.window.columns import Reference
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import Column, table_of_columns
from dashlight.workers.layouts import PANE

TARGET_US: Final = 5.0
"""Of one column with segments, a row, in batches of the first of BATCHES."""
BATCHES: Final = (256, 20)
NUMBERS: Final = 35
CARRIERS: Final = [f"carrier {place:02}" for place in range(40)]
NAMES: Final = ("carrier", "origin", "dest")
"""With the numbers and two outputs they are 40 columns."""
_ROUNDS: Final = 400
_PANE_ROWS: Final = (200, 20_000)


@dataclass(frozen=True)
class Batch:
    """Rows and the exchanges that asked them."""

    prediction: Prediction
    exchanges: Sequence[Exchange]


def columns_of(rng: np.random.Generator, rows: int) -> dict[str, Column]:
    """So many rows."""
    shares = 1.0 / np.arange(1, len(CARRIERS) + 1)
    held: dict[str, Column] = {f"x{place}": rng.normal(size=rows) for place in range(NUMBERS)}
    for name in NAMES:
        held[name] = [CARRIERS[place] for place in rng.choice(len(CARRIERS), rows, p=shares / shares.sum()).tolist()]
    return {**held, "score": rng.random(rows), "label": [("no", "yes")[place] for place in rng.integers(0, 2, rows)]}


def batch_of(rng: np.random.Generator, rows: int) -> Batch:
    """A batch, each of whose exchanges asked one row."""
    held = columns_of(rng, rows)
    features, outputs = (
        _table({name: cells for name, cells in held.items() if (name in {"score", "label"}) is is_output})
        for is_output in (False, True)
    )
    exchanges = [_exchange(number) for number in range(1, rows + 1)]
    return Batch(Prediction("/predict", "delays", "1", "plain", features, outputs), exchanges)


def counter_of(reference: Reference, segments: Sequence[str]) -> EndpointCounter:
    """What counts rows by these *segments*."""
    references = References(LearnedReferences(None), reference)
    return EndpointCounter("/predict", Policy(segments=tuple(segments)), references, LearningRoom())


def cost_us(reference: Reference, rows: int) -> NDArray[np.float64]:
    """CPU of a row without segments, with those of one column and of three, shape (3,).

    Medians, over rounds in turn, of what the first takes, and of what the others take more.
    """
    rng = np.random.default_rng(0)
    batches = [batch_of(rng, rows) for _ in range(20)]
    counters = [counter_of(reference, NAMES[:count]) for count in (0, 1, 3)]
    spent: list[list[float]] = []
    for number in range(_ROUNDS):
        batch = batches[number % len(batches)]
        batch.prediction.features.numbers[0] += 1e-3  # else they would repeat what was said, and not count
        taken = [0.0] * len(counters)
        for turn in range(len(counters)):
            which = (number + turn) % len(
                counters
            )  # whoever comes first finds nothing of the batch in the processor's cache
            begun = time.thread_time()
            counters[which].add(batch.prediction, batch.exchanges)
            taken[which] = time.thread_time() - begun
        spent.append(taken)
        if number % 40 == 0:
            for counter in counters:
                counter.close(float(number))
    costs = 1e6 * np.array(spent[20:]) / rows
    found: NDArray[np.float64] = np.median(costs[:, 0]) + np.median(costs - costs[:, :1], axis=0)
    return found


def posted_bytes(reference: Reference, rows: int, segments: Sequence[str]) -> int:
    """The size of the file of a pane of so many rows."""
    rng = np.random.default_rng(1)
    counter = counter_of(reference, segments)
    for _ in range(max(rows // 200, 1)):
        batch = batch_of(rng, 200)
        counter.add(batch.prediction, batch.exchanges)
    pane = MachinePane({"/predict": counter.close(10.0)}, {})
    return sum(memoryview(each).nbytes for each in PANE.freeze(pane))


def main() -> int:
    """Measures and prints a line for each size of a batch, and for each pane."""
    rng = np.random.default_rng(2)
    roles = {"score": "output", "label": "output"}
    reference = build_reference_from_columns(columns_of(rng, 5000), roles, rng=rng, created_at=0.0)  # type: ignore[arg-type]
    status = 0
    for rows in BATCHES:
        none, one, three = cost_us(reference, rows).tolist()
        is_missed = rows == BATCHES[0] and one - none > TARGET_US
        status |= is_missed
        verdict = "MISSED" if is_missed else "ok"
        print(
            f"{verdict:7} batches of {rows}: {none:.1f} us a row, one column of segments {one - none:+.2f} us "
            f"({one / none:.2f} times), three {three - none:+.2f} us ({three / none:.2f} times)"
        )
    for rows in _PANE_ROWS:
        without, with_three = (posted_bytes(reference, rows, NAMES[:count]) for count in (0, 3))
        print(
            f"        a pane of {rows} rows: {without / 1e3:.0f} kB, three columns of segments +{(with_three - without) / 1e3:.0f} kB"
        )
    return int(status)


def _table(held: dict[str, Column]) -> Table:
    found = table_of_columns(held)
    return replace(found, exchange=np.arange(found.rows))


def _exchange(number: int) -> Exchange:
    return Exchange(
        number, "/predict", "POST", "/predict", b"", "http", None, "1.1", (), (), 200, "", "ok",
        1.7e9, 0.01, 0.02, 100, 100, (), (), number, number, 1, None,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
