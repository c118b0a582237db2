"""Live rows against one reference, several columns at a time: pairs, and whole rows along learned directions."""

from collections.abc import Collection, Mapping, Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.direction import DirectionJudge
from dashlight.judge.pairs import PairJudge
from dashlight.judge.shares import Shares
from dashlight.judge.variation import natural_variation
from dashlight.records import Alert
from dashlight.window.concordance import PairCounter, PairCounts
from dashlight.window.facets import Matrix
from dashlight.window.reference import ColumnReference, Reference
from dashlight.window.rows import DirectionReference
from dashlight.window.rows_scores import joint_places, normal_scores, scored

MOSTLY = 0.5
"""Part of a shift: what more of it belongs to columns that have an alert is no news."""
LEAST_PAIR_ROWS = 2000
"""On a shorter reference the memory of a pair is not known well enough to be relied on."""
HIGHER = 0
"""Place of the functional whose memory is that of normal scores, among those of window.events."""


class Labels(TypedDict):
    """What every alert of a comparison says of where it comes from."""

    endpoint: str
    model: str
    version: str


class JointComparison:
    """The judges of pairs, of the joint rows, and of the rows of each text and vector column."""

    def __init__(
        self,
        reference: Reference,
        watched: Sequence[ColumnReference],
        *,
        panes: float,
        tolerance: float,
        share: float,
        parts: Shares,
        labels: Labels,
    ) -> None:
        """*watched* are the columns that matter; *parts* say how the *share* of the budget is parted."""
        self._names = {(column.role, column.name) for column in watched}
        unwatched = [column for column in reference.columns if (column.role, column.name) not in self._names]
        self._pairs: PairJudge | None = None
        self._counter: PairCounter | None = None
        if reference.pairs is not None and parts.pairs > 0 and reference.rows >= LEAST_PAIR_ROWS:
            self._counter = PairCounter(reference.pairs.places, reference.pairs.signs)
            self._pairs = PairJudge(
                reference.columns,
                reference.pairs,
                panes=panes,
                tolerance=tolerance,
                share=share * parts.pairs,
                importance={column.name: 0.0 for column in unwatched},
                **labels,
            )
        self._agreement: PairCounts | None = None
        self._places = joint_places(reference.columns)
        places: list[int] = self._places.tolist()
        joint = [reference.columns[place] for place in places]
        self._scores = normal_scores(joint)
        # Of a column that does not matter every row scores as the middle one; so of one that follows the hour, whose
        # rows all move together at noon.
        silent = [(column.role, column.name) not in self._names or column.season is not None for column in joint]
        self._scores[silent] = 0.0
        directions = [each for each in reference.directions if self._is_watched(each, joint)]
        part = share * parts.directions / max(len(directions), 1)
        variation = natural_variation(joint)

        def judge(direction: DirectionReference) -> DirectionJudge:
            is_joint = not direction.name
            return DirectionJudge(
                direction,
                panes=panes,
                tolerance=tolerance,
                share=part,
                names=[column.name for column in joint] if is_joint else (),
                phi=variation.functional_phi[:, HIGHER] if is_joint else None,
                tau=variation.functional_tau[:, HIGHER] if is_joint else None,
                **labels,
            )

        self._rows = next((judge(each) for each in directions if not each.name), None)
        self._directions = {each.name: judge(each) for each in directions if each.name}

    def add(self, codes: NDArray[np.uint8]) -> None:
        """Take the bins of rows of all columns, shape (columns, rows)."""
        if self._counter is not None:
            counts = self._counter.count(codes)
            self._agreement = counts if self._agreement is None else self._agreement + counts
        if self._rows is not None:
            self._rows.observe(scored(self._scores, codes[self._places]))

    def observe(self, matrices: Mapping[str, Matrix]) -> None:
        """Take the rows of text and vector columns, by name."""
        for name, matrix in matrices.items():
            judge = self._directions.get(name)
            whole = np.isfinite(matrix).all(axis=1)
            if judge is not None and whole.any():
                judge.observe(matrix[whole])

    def close_pane(self, at: float, *, told: Collection[str]) -> list[Alert]:
        """Ends the pane and judges it; the alerts whose state changed.

        *told* are columns with an alert of their own. Where they make up most of what the joint rows show, that is told;
        so are pairs of two of them: columns that changed at one moment agree across it.
        """
        alerts: list[Alert] = []
        if self._pairs is not None and self._agreement is not None:
            alerts += _news(self._pairs.update(self._agreement, at), is_told=self._pairs.is_between(told))
        self._agreement = None
        if self._rows is not None:
            alerts += _news(self._rows.close(at), is_told=self._rows.carried_by(told) > MOSTLY)
        for judge in self._directions.values():
            alerts += judge.close(at)
        return alerts

    def _is_watched(self, direction: DirectionReference, joint: Sequence[ColumnReference]) -> bool:
        if direction.name:
            return any(name == direction.name for _, name in self._names)
        return direction.dims == len(joint) > 1


def _news(alerts: Sequence[Alert], *, is_told: bool) -> list[Alert]:
    """*alerts* but for those that begin, or go on, although what they say is told by others."""
    return [alert for alert in alerts if not is_told or alert.state not in {"pending", "firing"}]
