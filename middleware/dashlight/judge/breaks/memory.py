"""How many rows of a column are worth one, as its recent rows hang together like those of the reference. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dashlight.judge.natural_variation import Movements, natural_variation
from dashlight.window.columns import ColumnReference

UNKNOWN_MEMORY = 5.0
"""Rows that are worth one where the reference does not tell, as it is not in time order: clients send alike ones in a row."""


@dataclass(frozen=True, slots=True)
class Memory:
    """How the rows of a column hang together: see NaturalVariation."""

    phi: float
    tau: float


def memories(columns: Sequence[ColumnReference], movements: Movements | None = None) -> list[Memory]:
    """Of every column the memory of what hangs together the most, but for a tenth of the events, which overlap.

    *movements* as for `natural_variation`.
    """
    if not columns:
        return []
    variation = natural_variation(columns, movements)
    phi = np.maximum(np.quantile(variation.phi, 0.9, axis=1), variation.functional_phi.max(axis=1, initial=1.0))
    tau = np.maximum(np.quantile(variation.tau, 0.9, axis=1), variation.functional_tau.max(axis=1, initial=0.0))
    return [
        Memory(float(rows), float(moves)) if column.variation else Memory(UNKNOWN_MEMORY, 0.0)
        for column, rows, moves in zip(columns, phi, tau, strict=True)
    ]
