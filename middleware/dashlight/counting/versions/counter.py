"""Counts what became of the exchanges of one endpoint, by version."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dashlight.counting.admission import Admission
from dashlight.counting.versions.counts import (
    MOST_VERSIONS,
    NO_VERSIONS,
    NOT_DECODED,
    OTHER,
    ModelKey,
    VersionCounts,
    no_exchanges,
)
from dashlight.decode.addressed import addressed_to
from dashlight.records import Exchange
from dashlight.window.histogram import LATENCY, Binning

_LATENCY = Binning(LATENCY)
_MOST_COMPARED = 64


class VersionCounter:
    """Counts for one process.

    What decoding found out goes first. Of a failed or refused exchange it finds at most what the request says, of one that
    was not analysed nothing: such a one asked the version that its path or headers name, else the process's own. Where
    decoding of good ones finds other versions than these say, as where the answer alone names it, nobody knows which
    version an exchange asked that came to nothing, save where its own bodies say it.
    """

    def __init__(self, *, model: str, version: str) -> None:
        """*model* and *version* are what the process serves where an exchange does not say it."""
        self._own: ModelKey = (model, version)
        self._admission: Admission[ModelKey] = Admission(MOST_VERSIONS)
        self._counts: dict[ModelKey, VersionCounts] = {}
        self._compared: set[ModelKey] = set()
        """Of this pane: keys that were found by decoding, and compared with what could be told without."""
        self._is_in_answers = False
        """Whether the answer alone says which version it is of."""

    def add(
        self,
        exchanges: Sequence[Exchange],
        durations: NDArray[np.float64],
        *,
        decoded: Mapping[int, ModelKey],
        asked: Mapping[int, ModelKey] = NOT_DECODED,
        failed: Collection[int],
    ) -> None:
        """Counts *exchanges*, which took *durations* (seconds, one for each).

        *decoded* has the model and version of those that were decoded, *asked* what others asked as far as decoding tells,
        *failed* are those that failed, all by id.
        """
        found = [decoded.get(each.id) for each in exchanges]
        for key, exchange in zip(found, exchanges, strict=True):
            if key is not None and key not in self._compared and len(self._compared) < _MOST_COMPARED:
                self._compared.add(key)
                self._is_in_answers = self._is_in_answers or self._told(exchange)[1] != key[1]
        keys = [
            self._unanswered(each, asked.get(each.id)) if key is None else key
            for key, each in zip(found, exchanges, strict=True)
        ]
        places: dict[ModelKey, list[int]] = {}
        for place, key in enumerate(keys):
            places.setdefault(key, []).append(place)
        for key, members in places.items():
            counts = VersionCounts(
                asked=len(members),
                failed=sum(exchanges[place].id in failed for place in members),
                refused=sum(exchanges[place].outcome == "refused" for place in members),
                durations=_LATENCY.count(durations[members][None, :]),
            )
            name = self._admitted(key)
            self._counts[name] = self._counts.get(name, no_exchanges()) + counts

    def close(self, at: float) -> dict[ModelKey, VersionCounts]:
        """Ends the pane *at*, and begins an empty one; what was counted in it."""
        closed, self._counts = self._counts, {}
        self._compared.clear()
        self._admission.close(at)
        return closed

    def _unanswered(self, exchange: Exchange, asked: ModelKey | None) -> ModelKey:
        """What an exchange asked that has no decoded answer; *asked*, as its bodies say."""
        model, version = self._told(exchange)
        if asked is not None:
            model = asked[0] or model
            if asked[1] not in {"", self._own[1], version}:
                return model, asked[1]
        return model, "" if self._is_in_answers else version

    def _told(self, exchange: Exchange) -> ModelKey:
        model, version = addressed_to(exchange)
        return model or self._own[0], version or self._own[1]

    def _admitted(self, key: ModelKey) -> ModelKey:
        """Under which name *key* is counted."""
        if key[1] == "" and key[0] in {"", self._own[0]}:
            return key
        # A name of a model without a version may be made up as well.
        return OTHER if key[1] in NO_VERSIONS - {""} or self._admission.admit(key) is None else key
