"""Counted rows against one reference, several columns at a time: pairs, and whole rows along learned directions."""

from collections.abc import Collection, Mapping, Sequence
from typing import TypedDict

from dashlight.counting.joint import JOINT, JointPane
from dashlight.counting.policy import Policy
from dashlight.counting.selection import Watched
from dashlight.judge.directions.bets import Direction
from dashlight.judge.directions.judge import DirectionJudge
from dashlight.judge.natural_variation import Movements, natural_variation
from dashlight.judge.pairs.judge import PairJudge
from dashlight.records import Alert
from dashlight.watching.state import JointState
from dashlight.window.columns import DirectionReference, Reference
from dashlight.window.normal_scores import joint_places

MOSTLY = 0.5
"""Part of a shift: what more of it belongs to columns that have an alert is no news."""
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
        watched: Watched,
        policy: Policy,
        *,
        share: float,
        movements: Movements,
        labels: Labels,
    ) -> None:
        """*share* is that of the comparison; it is parted as *watched* says. *movements* are those of its columns."""
        panes, tolerance = policy.panes_between_false_alarms, policy.tolerance
        names = {(column.role, column.name) for column in watched.columns}
        self._pairs: PairJudge | None = None
        self._pair_count = 0 if reference.pairs is None else len(reference.pairs.shares)
        self._dims = {each.name: each.dims for each in watched.directions}
        if reference.pairs is not None and watched.has_pairs:
            unwatched = [column for column in reference.columns if (column.role, column.name) not in names]
            self._pairs = PairJudge(
                reference.columns,
                reference.pairs,
                panes=panes,
                tolerance=tolerance,
                share=share * watched.parts.pairs,
                importance={column.name: 0.0 for column in unwatched},
                **labels,
            )
        joint = [reference.columns[int(place)] for place in joint_places(reference.columns)]
        part = share * watched.parts.directions / max(len(watched.directions), 1)
        variation = natural_variation(joint, movements)
        self._in_bursts = {
            column.name for column, each in zip(joint, variation.bursts, strict=True) if each.are_unknown
        }
        """Columns whose own bets bear runs of unknown length; those along a direction do not know of them."""

        def judge(direction: DirectionReference) -> DirectionJudge:
            is_joint = direction.name == JOINT
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

        self._judges = {each.name: judge(each) for each in watched.directions}

    @property
    def state(self) -> JointState:
        """What outlives the process."""
        return JointState(
            None if self._pairs is None else self._pairs.state,
            {name: judge.state for name, judge in self._judges.items()},
        )

    def restore(self, state: JointState) -> None:
        """Goes on from *state*; ValueError where it is that of other judges."""
        if (state.pairs is None) != (self._pairs is None) or state.directions.keys() != self._judges.keys():
            raise ValueError("the state of other pairs or directions")
        if self._pairs is not None and state.pairs is not None:
            self._pairs.restore(state.pairs)
        for name, judge in self._judges.items():
            judge.restore(state.directions[name])

    def fits(self, pane: JointPane) -> bool:
        """Whether *pane* is of these pairs and directions."""
        are_pairs = pane.pairs is None or (self._pairs is not None and len(pane.pairs.agreeing) == self._pair_count)
        return are_pairs and all(
            len(rows.total) == self._dims.get(name, len(rows.total)) for name, rows in pane.directions.items()
        )

    @property
    def directions(self) -> Mapping[str, Direction]:
        """Along which the rows of the next pane are to be counted, by name."""
        return {name: judge.direction for name, judge in self._judges.items()}

    def close_pane(self, pane: JointPane, at: float, *, told: Collection[str]) -> list[Alert]:
        """Judges the *pane* that ended *at*; the alerts whose state changed.

        *told* are columns with an alert of their own. Where they, or columns that come in runs of unknown length, make up
        most of what the joint rows show, that is told, or is for those columns alone to tell;
        so are pairs of two of them: columns that changed at one moment agree across it.
        """
        alerts: list[Alert] = []
        if self._pairs is not None and pane.pairs is not None:
            alerts += _news(self._pairs.update(pane.pairs, at, told), is_told=self._pairs.is_between(told))
        for name, judge in self._judges.items():
            if name in pane.directions:
                judge.add(pane.directions[name])
            news = judge.close(at)
            alerts += (
                _news(news, is_told=judge.carried_by(self._in_bursts.union(told)) > MOSTLY) if name == JOINT else news
            )
        return alerts


def _news(alerts: Sequence[Alert], *, is_told: bool) -> list[Alert]:
    """*alerts* but for those that begin, or go on, although what they say is told by others."""
    return [alert for alert in alerts if not is_told or alert.state not in {"pending", "firing"}]
