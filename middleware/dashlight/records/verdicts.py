"""Scores, alerts and notices: what is made of rows and exchanges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from dashlight.records.predictions import Role

AlertState: TypeAlias = Literal["inactive", "pending", "firing", "resolved"]
Transition: TypeAlias = Literal["firing", "changed", "resolved"]
AlertSource: TypeAlias = Literal["drift", "performance", "traffic", "break", "threshold"]
SliceState: TypeAlias = Literal["found", "everywhere", "none", "too_few"]
"""`everywhere`: all other rows hurt as well; `none`: no slice was confirmed; `too_few`: rows to search one."""
WatchState: TypeAlias = Literal["learning", "not_enough_data", "watching"]
"""Of a model: it learns its reference; too few rows came to have shown a medium shift; its silence means something."""


@dataclass(frozen=True, slots=True)
class Score:
    """A statistic of a column, or of a whole endpoint where *column* is None, with its uncertainty.

    *low* and *high* bound it at about 95 %; *reference* is its value in the reference where that has a meaning.
    """

    column: str | None
    role: Role | None
    statistic: str
    value: float
    low: float
    high: float
    rows: int
    reference: float | None = None
    segment: str = ""
    """As `carrier=UA`, of whose rows alone it is; empty: of all."""


@dataclass(frozen=True, slots=True)
class BinShare:
    """One bin of a column: what it holds in words, and its share before (reference) and after (window)."""

    label: str
    reference: float
    current: float


@dataclass(frozen=True, slots=True)
class Cause:
    """What moved: the event in words with its share before and after, and every bin beside it."""

    event: str
    reference: float
    current: float
    bins: tuple[BinShare, ...] = ()


@dataclass(frozen=True, slots=True)
class SliceCondition:
    """A bin of one column."""

    column: str
    role: Role
    bin: str
    """In words that may be told: `UA`, `19 to 23`, `missing`."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Where it hurts: the rows for which one, two or three columns are in certain bins, and how they differ from the rest.

    What is compared is a share of rows that hurt: that failed, were refused, were predicted wrongly (or how much they lost, 0
    to 1), or lie in the bins of the drifted column that rose. NaN where it is not known.
    """

    state: SliceState
    conditions: tuple[SliceCondition, ...] = ()
    """Of the slice; empty unless it was found."""
    rows: int = 0
    """Of the sample that was searched."""
    share: float = float("nan")
    """Of them, in the slice."""
    rate: float = float("nan")
    """Share of the slice's rows that hurt, ..."""
    usual_rate: float = float("nan")
    """... and what it is usually."""
    rest_rate: float = float("nan")
    """Likewise of all other rows."""
    rest_usual_rate: float = float("nan")
    explained: float = float("nan")
    """Part of the excess of all rows that is in the slice, from 0 to 1, ..."""
    explained_low: float = float("nan")
    """... and its interval at 95 %."""
    explained_high: float = float("nan")
    p: float = float("nan")
    """Of the exact test on the half that was not searched."""
    detectable_lift: float = float("nan")
    """How much higher the rate in a slice of 5 % of the rows would have had to be to be found."""
    exemplars: tuple[str, ...] = ()
    """Up to five trace ids of exchanges in the slice that hurt."""
    summary: str = ""
    """In words, as they stand behind the sentence of the alert."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule's state for a column, several columns jointly, or a quantity of one endpoint."""

    key: str
    """Same for the same rule, endpoint and column for ever."""
    source: AlertSource
    model: str
    version: str
    endpoint: str
    column: str | None
    role: Role | None
    state: AlertState
    summary: str
    """One sentence: what moved, from what to what."""
    at: float  # when this state began
    since_at: float  # when the change itself began, as well as can be told
    rows: int  # rows or exchanges in the window that shows it
    score: float
    """Size of the effect: Cohen's h for drift, the quantity itself for a threshold."""
    causes: tuple[Cause, ...] = ()
    exemplars: tuple[str, ...] = ()
    """Up to five trace ids (32 hexadecimal digits) of exchanges that show it."""
    since_earliest_at: float = float("nan")
    """The change began between this moment and the next, at about 90 %; NaN where that was not estimated."""
    since_latest_at: float = float("nan")
    incident: str = ""
    """Same for alerts that began together; empty where the alert is not of a change of data or traffic."""
    place: int = 0
    """Place within its incident by how likely it is the origin: 1 is the likeliest; 0 where there is no incident."""
    moved_with: tuple[str, ...] = ()
    """What the other alerts of the incident are about, the likeliest origin first; at most ten."""
    segment: str = ""
    """As `carrier=UA`, of whose rows alone it is; empty: of all."""
    slice: Slice | None = None
    """Where it hurts; None where that was not searched: once an incident, of its origin."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One transition of an incident, or of an alert that belongs to none, as it is owed to every route.

    *summary* is one line for people, with no value of a payload; *alert_count* counts also those left out of *alerts*.
    """

    id: str
    """A UUID: the same however often, and by whichever judge, it is sent."""
    key: str
    """Of the incident or the alert: the same through its life."""
    transition: Transition
    at: float
    since_at: float
    endpoint: str
    model: str
    version: str
    summary: str
    alerts: tuple[Alert, ...]
    """Those in force, of a resolved incident those that were; the likeliest origin first, not all where they are many."""
    alert_count: int
