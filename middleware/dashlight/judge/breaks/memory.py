"""How strongly the rows of a column depend on one another: how many are worth one independent row. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dashlight.judge.natural_variation import Movements, natural_variation
from dashlight.window.columns import ColumnReference

UNKNOWN_MEMORY = 5.0
"""Assumed where the reference is not in time order and does not tell: clients send similar rows one after the other."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Short memory and slow movement of a column, see NaturalVariation."""

    phi: float
    tau: float


def memories(columns: Sequence[ColumnReference], movements: Movements | None = None) -> list[Memory]:
    """The memory of each column: the ninth decile over its events, which overlap, or the largest of its functionals.

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
