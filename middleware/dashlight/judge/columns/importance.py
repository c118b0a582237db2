"""How the budget of false alarms is shared between columns, by what they matter. Pure."""

from collections.abc import Mapping, Sequence

import numpy as np

from dashlight.judge.evidence.null import Floats
from dashlight.window.columns import ColumnReference


def weights_of(columns: Sequence[ColumnReference], importance: Mapping[str, float]) -> Floats:
    """Shares of the budget, shape (columns,), that sum to one; the facets of a text or a vector follow its name."""
    unknown = importance.keys() - {column.name for column in columns} - {column.of for column in columns}
    if unknown:
        raise ValueError(f"importance of unknown columns: {', '.join(sorted(unknown))}")
    given = [importance.get(column.name, importance.get(column.of, 1.0)) for column in columns]
    weights = np.array(given, np.float64)
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError("importance must be a number, 0 or more")
    if len(weights) and not weights.any():
        raise ValueError("importance is 0 for all columns: nothing would be watched")
    return np.asarray(weights / max(weights.sum(), 1e-12))
