"""The shape of what is shown, as `/api/v1` has it in JSON: moments in seconds since the epoch, shares from 0 to 1.

A number that is not known is null. Within version 1 fields are added, none is removed or given another meaning.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from dashlight.records import AlertSource, AlertState, Role, SliceState, WatchState

VERSION: Final = 1
LightName: TypeAlias = Literal[
    "inputs",
    "predictions",
    "data_quality",
    "performance",
    "failures",
    "refusals",
    "latency",
    "traffic",
    "delivery",
]
LightState: TypeAlias = Literal["green", "amber", "red", "grey"]
"""`red`: an alert fires; `amber`: it may soon, or something is owed or was lost; `grey`: not enough is known to say."""


class ShownValue(msgspec.Struct, frozen=True):
    """A number with its interval at about 95 %, of so many rows or exchanges; *reference* is what is usual."""

    value: float | None
    low: float | None
    high: float | None
    rows: int
    reference: float | None = None


class Light(msgspec.Struct, frozen=True):
    """What somebody sees first."""

    name: LightName
    state: LightState
    words: str


class ShownMeasure(msgspec.Struct, frozen=True):
    """A figure of performance: as labels say, and as it is estimated without them."""

    name: str
    realised: ShownValue | None
    estimated: ShownValue | None = None


class ShownColumn(msgspec.Struct, frozen=True):
    """How far a column is from its reference."""

    name: str
    role: Role | None
    psi: ShownValue | None
    missing_rate: ShownValue | None
    detectable_shift: float | None
    """The smallest shift, in Cohen's h, that would have been seen by now; null: none would."""
    is_in_force: bool
    """Whether an alert is about it."""


class ShownSegment(msgspec.Struct, frozen=True):
    """The rows with one value of a column that DASHLIGHT_SEGMENTS names."""

    name: str
    """As `carrier=UA`."""
    column: str
    value: str
    rows: int
    share: float | None
    """Of the model's rows."""
    failure_rate: ShownValue | None
    refusal_rate: ShownValue | None
    latency_p50_seconds: ShownValue | None
    latency_p99_seconds: ShownValue | None
    performance: list[ShownMeasure]
    moved: str
    """The column of these rows that is farthest from its reference; empty: none is."""
    psi: ShownValue | None
    """Of that column."""
    is_in_force: bool
    """Whether an alert is about the segment."""


class ShownModel(msgspec.Struct, frozen=True):
    """A model at an endpoint."""

    name: str
    version: str
    state: WatchState | None
    """Null: known by its labels alone."""
    rows: int
    """In the window."""
    lights: list[Light]
    performance: list[ShownMeasure]
    facts: dict[str, float]
    """What else is known of the whole model, by statistic: docs/metrics.md says what each is."""
    columns: list[ShownColumn]
    """Those that alerts are about, then those that moved most; not all where they are many."""
    column_count: int
    segments: list[ShownSegment]
    """Those that alerts are about, then those with the most failures and rows; not all where they are many."""
    segment_count: int


class ShownEndpoint(msgspec.Struct, frozen=True):
    """An endpoint over the window."""

    route: str
    exchanges: int
    throughput: float | None
    """Exchanges a second."""
    failure_rate: ShownValue | None
    refusal_rate: ShownValue | None
    latency_p50_seconds: ShownValue | None
    latency_p99_seconds: ShownValue | None
    lights: list[Light]
    models: list[ShownModel]


class ShownCondition(msgspec.Struct, frozen=True):
    """A bin of one column."""

    column: str
    role: Role
    bin: str


class ShownSlice(msgspec.Struct, frozen=True):
    """Where it hurts, as it was searched when the alert began."""

    state: SliceState
    summary: str
    conditions: list[ShownCondition]
    rows: int
    share: float | None
    rate: float | None
    usual_rate: float | None
    explained: float | None
    explained_low: float | None
    explained_high: float | None
    exemplars: list[str]


class ShownAlert(msgspec.Struct, frozen=True):
    """An alert that is pending or firing."""

    key: str
    light: LightName
    source: AlertSource
    state: AlertState
    endpoint: str
    model: str
    version: str
    column: str | None
    role: Role | None
    segment: str
    summary: str
    at: float
    """When the state began, ..."""
    since_at: float
    """... and the change itself, as well as can be told."""
    rows: int
    score: float | None
    incident: str
    place: int
    """In its incident; 1 is the likeliest origin, 0: it has none."""
    slice: ShownSlice | None
    exemplars: list[str]


class ShownStatus(msgspec.Struct, frozen=True):
    """A machine at the moment *at*: what `/api/v1/status` answers."""

    version: int
    at: float
    pane_seconds: float
    window_seconds: float
    workers: int
    analysed_rate: float
    """Share of the exchanges that is analysed now."""
    state: LightState
    """The worst of all lights; grey only where all are."""
    lights: list[Light]
    """Of the machine."""
    alerts: list[ShownAlert]
    """In force; firing before pending, the likeliest origin first."""
    alert_count: int
    endpoints: list[ShownEndpoint]
    endpoint_count: int
