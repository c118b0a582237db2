"""All models of a machine that have versions, compared from what all processes counted."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from dashlight.counting.endpoint import EndpointPane
from dashlight.counting.machine import OTHER_ENDPOINTS, MachinePane
from dashlight.counting.policy import Policy
from dashlight.counting.versions.counts import NO_VERSIONS
from dashlight.errors import traced
from dashlight.judge.versions.figures import deciding_figure, report_of_pair
from dashlight.judge.versions.report import VersionReport
from dashlight.judge.versions.totals import MOST_OUTPUTS, VersionTotals
from dashlight.judge.words import printable
from dashlight.labels.news import LabelNews
from dashlight.labels.rows import ModelKey
from dashlight.metrics.losses import SignalFate
from dashlight.watching.versions.group import VersionedModel, VersionGroup, VersionGroupState, decided
from dashlight.window.columns import Reference, columns_of

logger = logging.getLogger(__name__)

MOST_GROUPS = 32
"""Models with versions, at all endpoints; further ones take the place of one that was not asked for an hour."""
MOST_PAIRS = 24
"""Of all models, where there is memory for so many."""
PAIR_BYTES = 140_000
"""Of a pair with labels; of one without 60,000."""
_MEMORY_PART = 32
"""Of what judging may take, one part in so many is for pairs."""
_UNASKED_SECONDS = 3600.0
_NOTHING = VersionTotals()

ReferenceOf = Callable[[ModelKey], Reference | None]


class SideBySide:
    """The versions of every model."""

    def __init__(self, reference_of: ReferenceOf, policy: Policy) -> None:
        """*reference_of* tells what a model is compared with, None where that is not known."""
        self._reference_of, self._pane_seconds = reference_of, policy.pane_seconds
        self._most_pairs = max(1, min(MOST_PAIRS, policy.judging_bytes // _MEMORY_PART // PAIR_BYTES))
        self._groups: dict[VersionedModel, VersionGroup] = {}
        self._decided: list[VersionReport] = []
        self._mistakes: Counter[str] = Counter()
        self._told: set[str] = set()

    @property
    def states(self) -> Mapping[VersionedModel, VersionGroupState]:
        """What outlives the process, by model."""
        return {key: group.state for key, group in self._groups.items()}

    def restore(self, key: VersionedModel, state: VersionGroupState) -> None:
        """Goes on from *state* with one model; ValueError, and as new, where it does not fit."""
        group = VersionGroup()
        group.restore(state)
        if len(self._groups) < MOST_GROUPS and self._pair_count + len(group.pairs) <= self._most_pairs:
            self._groups[key] = group

    def close_pane(self, pane: MachinePane, news: LabelNews | None, at: float) -> Iterator[None]:
        """Takes the *pane* of all processes that ended *at*, and the *news* of labels. In steps."""
        for route, endpoint in pane.endpoints.items():
            if route != OTHER_ENDPOINTS and endpoint.versions:
                self._tried(partial(self._close_endpoint, route, endpoint, at))
                yield
        for rows in () if news is None else news.rows:
            group = self._groups.get(rows.model[:2])
            if group is not None:
                self._tried(partial(group.take, rows))
                yield

    def reports(self) -> list[VersionReport]:
        """All comparisons, those with the newest candidates first."""
        pairs = [(key, pair) for key, group in self._groups.items() for pair in group.pairs]
        pairs.sort(key=lambda each: -each[1].since_at)
        return [report_of_pair(pair, endpoint=endpoint, model=model) for (endpoint, model), pair in pairs]

    def take_decided(self) -> list[VersionReport]:
        """What was decided since this was last asked: each comparison once."""
        found, self._decided = self._decided, []
        return found

    def take_losses(self) -> Mapping[SignalFate, int]:
        """Mistakes of ours since this was last asked."""
        lost = {SignalFate("versions", "mistake", kind): count for kind, count in self._mistakes.items()}
        self._mistakes.clear()
        return lost

    def _close_endpoint(self, route: str, pane: EndpointPane, at: float) -> None:
        models: dict[str, dict[str, VersionTotals]] = {}
        unknown: dict[str, VersionTotals] = {}
        for (model, version), counts in pane.versions.items():
            totals = VersionTotals(counts.asked, counts.failed, counts.refused, counts.durations)
            if version in NO_VERSIONS:
                unknown[model] = unknown.get(model, _NOTHING) + totals
            else:
                models.setdefault(model, {})[version] = totals + self._outputs((route, model, version), pane)
        everybody = unknown.pop("", _NOTHING)  # may have asked any of them
        known = {model for endpoint, model in self._groups if endpoint == route}
        for model in models.keys() | known:
            group = self._group((route, model), at) if model in models else self._groups[route, model]
            if group is None:
                continue
            may_be = unknown.get(model, _NOTHING) + everybody
            most = self._most_pairs - self._pair_count + len(group.pairs)
            pairs = group.close_pane(
                models.get(model, {}), at, unknown=may_be, most_pairs=most, pane_seconds=self._pane_seconds
            )
            for pair in pairs:
                if pair.decision == "undecided" and decided(pair, deciding_figure(pair).decision, at):
                    report = report_of_pair(pair, endpoint=route, model=model)
                    self._decided.append(report)
                    level = logging.WARNING if report.decision == "worse" else logging.INFO
                    logger.log(level, "%s %s: %s", printable(route), printable(model), report.words)

    def _outputs(self, key: ModelKey, pane: EndpointPane) -> VersionTotals:
        """The outputs of a version in the pane, over the bins of what its rows are compared with."""
        model = pane.models.get(key[1:])
        reference = self._reference_of(key)
        if model is None or reference is None:
            return _NOTHING
        rows = next((each for each in model.compared if each.reference == reference.version), None)
        names = [column.name for column in columns_of(reference, "output")][:MOST_OUTPUTS]
        first = len(columns_of(reference, "feature"))
        if rows is None or len(rows.counts) < first + len(names):
            return _NOTHING
        outputs = {name: rows.counts[first + place].copy() for place, name in enumerate(names)}
        return VersionTotals(reference=reference.version, outputs=outputs)

    def _group(self, key: VersionedModel, at: float) -> VersionGroup | None:
        """The versions of a model; None where there is no place for it."""
        if key not in self._groups and len(self._groups) >= MOST_GROUPS:
            oldest = min(self._groups, key=lambda each: self._groups[each].asked_at)
            if at - self._groups[oldest].asked_at < _UNASKED_SECONDS:
                return None
            del self._groups[oldest]
        return self._groups.setdefault(key, VersionGroup())

    @property
    def _pair_count(self) -> int:
        return sum(len(group.pairs) for group in self._groups.values())

    def _tried(self, part: Callable[[], None]) -> None:
        """Does *part*; a mistake of ours costs that alone, is counted, and told once."""
        try:
            part()
        except Exception as mistake:
            kind = type(mistake).__name__
            self._mistakes[kind] += 1
            if kind not in self._told:
                self._told.add(kind)
                logger.error("versions could not be compared: %s", traced(mistake))  # noqa: TRY400 - no message
