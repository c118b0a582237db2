"""In which segments the rows are that wait for their labels."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dashlight.counting.parts.exchanges import RowExchanges
from dashlight.counting.scored.binned import Binned
from dashlight.judge.columns.segmentation import segmentation_of
from dashlight.records import Prediction
from dashlight.window.columns import Reference
from dashlight.window.parts.segments import NO_SEGMENT, Segmentation

_MOST_KEPT = 64
"""References whose segments are remembered; when there are more, all are forgotten."""


class RowSegments:
    """The segments that columns of these *names* have."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._known: dict[str, Segmentation] = {}

    def of(
        self, prediction: Prediction, binned: Binned, rows: NDArray[np.intp]
    ) -> tuple[tuple[str, ...], NDArray[np.uint8]] | None:
        """Which columns have segments, and in which the output *rows* of *prediction* are, shape (columns, rows).

        Features are of the same rows where they are of the same exchanges, in the same order; else a row is in the segment in
        which all that its exchange asked is. NO_SEGMENT: in none, or nobody knows. None where no column has segments.
        """
        segmentation = self._segmentation(binned.reference)
        features = binned.codes.get("feature")
        if features is None or not segmentation.columns:
            return None
        codes = segmentation.codes(features)
        of_features, of_outputs = prediction.features.exchange, prediction.outputs.exchange
        counted = np.arange(len(of_features)) if binned.rows is None else binned.rows
        if np.array_equal(of_features, of_outputs):
            whole = np.full((len(codes), len(of_features)), NO_SEGMENT, np.uint8)
            whole[:, counted] = codes
            found = whole[:, rows]
        else:
            exchanges = RowExchanges(of_features[counted])
            found = exchanges.of_rows(exchanges.agreed(codes, NO_SEGMENT), of_outputs[rows], NO_SEGMENT)
        return tuple(column.name for column in segmentation.columns), found.astype(np.uint8, copy=False)

    def _segmentation(self, reference: Reference) -> Segmentation:
        found = self._known.get(reference.version)
        if found is None:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            found = self._known[reference.version] = segmentation_of(reference, self._names)
        return found
