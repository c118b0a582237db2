"""The judge without a server: drift of columns in a notebook, a test or a batch job."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dashlight import units
from dashlight.clock import SystemClock
from dashlight.counting.policy import Policy
from dashlight.decode.frames import Columns, columns_of
from dashlight.errors import CallError
from dashlight.judge.alerts import Alerts
from dashlight.offline.reference import LISTED, listed, reference_of, suggestion
from dashlight.offline.tables import is_matrix, table_of
from dashlight.records import Alert, Prediction, Score, Table
from dashlight.watching.rows import Comparison
from dashlight.window.columns import ColumnReference, Reference
from dashlight.window.columns import columns_of as columns_of_role
from dashlight.window.facets.facets import facet_names, faceted
from dashlight.window.payloads.hashing import PayloadHasher, payload_key
from dashlight.window.reference.file import dump

logger = logging.getLogger(__name__)

SHOWN_SECONDS = 3600.0
"""What `scores` looks back on."""
_MOST_UNKNOWN = 1000
_NO_TRACE = np.zeros(1, "V16")
_SLACK_SECONDS = 1e-6
"""Moments of today are exact to a quarter of this: ten panes of 0.1 s are one second."""


class DriftDetector:
    """Says when columns are no longer distributed as in a reference, and keeps quiet while they are.

    It is the same judge that the server uses. It looks at the rows pane by pane (10 s by default), remembers what it
    saw, and raises an alert once the evidence cannot be chance under one budget of false alarms for all columns and all
    time. So there is nothing to tune per column, and it may be asked as often as one likes.

    >>> import numpy as np
    >>> from dashlight import DriftDetector
    >>> rng = np.random.default_rng(0)
    >>> def rows(age):
    ...     return {"age": rng.normal(age, 10, 200), "city": rng.choice(["Bonn", "Kiel", "Ulm"], 200)}
    >>> detector = DriftDetector({"age": rng.normal(40, 10, 5000), "city": rng.choice(["Bonn", "Kiel", "Ulm"], 5000)})
    >>> for pane in range(40):
    ...     for alert in detector.update(rows(age=40 if pane < 20 else 60), at=10.0 * pane):
    ...         print(alert.column, alert.state)
    age firing
    >>> [score.value for score in detector.scores() if (score.column, score.statistic) == ("city", "missing_rate")]
    [0.0]

    Columns are arrays or lists by name, or a pandas, polars or pyarrow frame. Missing is NaN or None (also NaT, NA and
    what is masked). Moments count as seconds since the epoch, spans of time as seconds. A value of the wrong type, an
    infinite one, a missing column are counted and judged; they are no errors. Texts, vectors, images, rankings
    and forecasts are judged by what can be measured of them (`comment · words`, `embedding · norm`, `items · first`).

    Columns of the reference that no later row can be like are left out: the index that pandas wrote, row numbers,
    counters, ids, moments. `reference.left_out` names them, and *kinds* keeps what it names.
    """

    def __init__(
        self,
        reference: object,
        kinds: Mapping[str, str] | None = None,
        *,
        false_alarms: str = "1/30d",
        tolerance: float = 0.02,
        pane_seconds: float = 10,
        ordered: bool = True,
        cluster: str | None = None,
    ) -> None:
        """Set up the judge.

        Args:
            reference: at least 200 rows to compare with: a mapping of names to arrays, a frame, or a reference file
                (its path or its bytes). Of a column without a single value only the missing rows are judged.
            kinds: `numeric`, `categorical`, `boolean`, `text`, `vector`, `image`, `ranking` or `forecast` by name, where
                the values do not say it: numbers that are codes are `categorical`, lists of them a `ranking`.
            false_alarms: what all columns together may raise while nothing changes, in time of panes: `1/30d`.
            tolerance: the smallest shift worth an alert, as a PSI (squared Cohen's h).
            pane_seconds: rows are judged at most this often; the budget is counted in panes.
            ordered: whether the rows of the reference are in time order, from which is learned how much shares move by
                themselves.
            cluster: column by whose value rows hang together, a session or a user; no column of its own. Rows of one
                value count as as many as they are worth together. A reference file says it itself.

        Raises:
            DashlightError: the reference, the kinds or a setting cannot be used; says what was found and what is wanted.
        """
        self._false_alarms = false_alarms
        self._pane_seconds = _number(pane_seconds, "pane_seconds", "a number of seconds above 0")
        tolerance = _number(tolerance, "tolerance", "a number above 0 and up to 1")
        if tolerance > 1:
            raise CallError(f"tolerance is {tolerance!r}: expected a number above 0 and up to 1")
        panes = _panes_between(false_alarms, self._pane_seconds)
        now = SystemClock().now()
        self._reference = reference_of(reference, kinds, ordered=ordered, created_at=now, cluster=cluster)
        self._hasher = PayloadHasher([self._reference.cluster], payload_key(self._reference.version), is_exact=True)
        policy = Policy(pane_seconds=self._pane_seconds, panes_between_false_alarms=panes, tolerance=tolerance)
        self._comparison = Comparison(self._reference, policy, model=self._reference.model)
        self._counter = self._comparison.counter()
        self._sides = {role: _Side(columns_of_role(self._reference, role)) for role in ("feature", "output")}
        self._names = {name: None for side in self._sides.values() for name in side.names}
        self._facets = {facet: name for side in self._sides.values() for facet, name in side.facets.items()}
        self._left_out = {each.name for each in self._reference.left_out}
        self._alerts = Alerts()
        self._unknown: dict[str, int] = {}
        self._at = self._closed_at = math.nan

    def update(self, columns: Mapping[str, Any] | object, at: float) -> list[Alert]:
        """Take rows that ended *at*, in seconds; the alerts that began to fire or were resolved by it.

        The first call starts the clock. A call at least pane_seconds after the last pane closed closes the next one, with
        these rows in it, and judges it; until then nothing is returned. Rows may come in any order and in any number of
        calls within a pane. A column that is not there is missing in each row, and one that never had a value yet is not
        judged (`missing_columns`); where none of the reference's outputs (or features) is there, those are not looked at.
        A column that the reference does not know is counted in `unknown_columns`, but for those that it leaves out.

        Raises:
            DashlightError: *at* is no moment or lies before the last one, or the columns cannot be read, are of several
                lengths, or none of them is known. Then nothing was counted.
        """
        at = self._checked_moment(at)
        given, keys = self._keyed(columns_of(columns, "the update"))
        unknown = [name for name in given.values if name not in self._names]
        if len(unknown) == len(given.values):
            asked = suggestion(unknown[0], self._names)
            raise CallError(
                f"the update has {listed(unknown)}{asked}: expected columns of the reference, {listed(self._names)}"
            )
        prediction = self._prediction(given)
        self._count_unknown([name for name in unknown if name not in self._left_out], given.rows)
        self._counter.add(prediction, _NO_TRACE, keys)
        self._at = at
        if math.isnan(self._closed_at):
            self._closed_at = at
        if at - self._closed_at + _SLACK_SECONDS < self._pane_seconds:
            return []
        self._closed_at = at
        found = self._comparison.close_pane(self._counter.close(), at)
        for sentence in self._comparison.news(list(self._unknown)):
            logger.info("%s", sentence)
        self._counter.follow(self._comparison.directions)
        changed = self._alerts.observe(map(self._of_its_column, found))
        return [alert for alert in changed if alert.state in {"firing", "resolved"}]

    def scores(self) -> list[Score]:
        """Every statistic of every column with its interval, over the panes of the last hour (at least one).

        An hour of panes without gaps: 360 of ten seconds. Empty until the first pane has closed. They are for looking
        at: an alert has a memory of its own.
        """
        return self._comparison.scores(max(1, round(SHOWN_SECONDS / self._pane_seconds)))

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """Alerts in force, firing ones first; a pending one has the evidence and waits until its shift is large enough."""
        return self._alerts.in_force

    @property
    def reference(self) -> Reference:
        """What is compared with."""
        return self._reference

    @property
    def too_short(self) -> tuple[str, ...]:
        """Columns whose reference is too short to show how they vary by themselves: slow to alarm."""
        return self._comparison.too_short

    @property
    def unknown_columns(self) -> Mapping[str, int]:
        """Rows that came in columns that the reference does not know, by name; of the first thousand names."""
        return dict(self._unknown)

    @property
    def missing_columns(self) -> tuple[str, ...]:
        """Columns of the reference that no row had a value in so far: not judged until one has."""
        return self._comparison.never_came

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the reference to *path*, as a file for this class and for DASHLIGHT_REFERENCE."""
        Path(path).write_bytes(dump(self._reference))

    def __repr__(self) -> str:
        firing = dict.fromkeys(alert.column or "several columns" for alert in self.alerts if alert.state == "firing")
        state = f"firing: {listed(firing)}" if firing else "quiet"
        columns = f"{len(self._names)} {'column' if len(self._names) == 1 else 'columns'}"
        return f"DriftDetector({columns}, {self._reference.rows:,} reference rows, {self._false_alarms}; {state})"

    def _checked_moment(self, at: float) -> float:
        wanted = "seconds since the epoch, as of time.time() or datetime.timestamp()"
        try:
            moment = float(at)
        except (TypeError, ValueError):
            raise CallError(f"at is of type {type(at).__name__}: expected {wanted}") from None
        if not math.isfinite(moment):
            raise CallError(f"at is {moment!r}: expected {wanted}")
        if moment < self._at:
            raise CallError(f"at is {moment!r}, before the last update at {self._at!r}: expected rows in order of time")
        return moment

    def _keyed(self, given: Columns) -> tuple[Columns, list[int] | None]:
        """*given* without the column by which rows hang together, and its hashes; None where it is not there."""
        cluster = self._reference.cluster
        if not cluster or cluster not in given.values:
            return given, None
        keyed = table_of({cluster: given.values[cluster]}, given.rows)
        rest = {name: values for name, values in given.values.items() if name != cluster}
        keys: list[int] = self._hasher.hashes(keyed).tolist()
        return replace(given, values=rest), keys

    def _prediction(self, given: Columns) -> Prediction:
        features, outputs = (side.table(given) for side in self._sides.values())
        return Prediction("", self._reference.model, "", "", features, outputs)

    def _of_its_column(self, alert: Alert) -> Alert:
        """*alert*, which may be of a facet, as one of the column that was handed in; its summary names the facet."""
        name = None if alert.column is None else self._facets.get(alert.column)
        return alert if name is None else replace(alert, column=name)

    def _count_unknown(self, names: list[str], rows: int) -> None:
        for name in names:
            if name in self._unknown or len(self._unknown) < _MOST_UNKNOWN:
                self._unknown[name] = self._unknown.get(name, 0) + rows


class _Side:
    """The features of the reference, or its outputs."""

    def __init__(self, columns: tuple[ColumnReference, ...]) -> None:
        self._kinds, _ = faceted(columns)
        self.facets = {facet: name for name, kind in self._kinds.items() for facet in facet_names(name, kind)}
        self.names = {column.name: None for column in columns if column.name not in self.facets}

    def table(self, given: Columns) -> Table:
        """The columns of this side; no rows where none of them was *given*."""
        values = {name: each for name, each in given.values.items() if name in self.names}
        for name, each in values.items():
            if is_matrix(each) and self._kinds.get(name) not in LISTED:
                raise CallError(
                    f"column {name!r} of the update is an array of shape {each.shape}: expected one value in each row"
                )
        return table_of(values, given.rows if values else 0)


def _number(given: object, name: str, wanted: str) -> float:
    is_number = isinstance(given, int | float | np.integer | np.floating) and not isinstance(given, bool)
    number = float(given) if is_number else math.nan  # type: ignore[arg-type]
    if not 0 < number < math.inf:
        raise CallError(f"{name} is {given!r}: expected {wanted}")
    return number


def _panes_between(false_alarms: str, pane_seconds: float) -> float:
    wanted = "a number of alarms and a span of time, such as '1/30d'"
    try:
        panes = units.seconds_between(false_alarms) / pane_seconds
    except (AttributeError, ValueError):
        raise CallError(f"false_alarms is {false_alarms!r}: expected {wanted}") from None
    if not panes >= 1:
        raise CallError(
            f"false_alarms is {false_alarms!r}, more than one in every pane of {pane_seconds:g} s: expected {wanted}"
        )
    return panes
