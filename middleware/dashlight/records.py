"""The nouns that travel from stage to stage: Exchange -> Prediction -> Score -> Alert -> Notice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

if TYPE_CHECKING:  # numpy loads when the Monitor starts, not with the front door
    import numpy as np
    from numpy.typing import NDArray

Outcome: TypeAlias = Literal["ok", "refused", "error", "client_disconnect", "cancelled"]
"""What became of an exchange; `refused`: the answer was that the request could not be used, with one of REFUSED."""
Role: TypeAlias = Literal["feature", "output"]
Kind: TypeAlias = Literal["numeric", "categorical", "boolean", "text", "vector", "image", "ranking", "forecast"]
AlertState: TypeAlias = Literal["inactive", "pending", "firing", "resolved"]
Transition: TypeAlias = Literal["firing", "changed", "resolved"]
AlertSource: TypeAlias = Literal["drift", "performance", "traffic", "break", "threshold"]
WatchState: TypeAlias = Literal["learning", "not_enough_data", "watching"]
"""Of a model: it learns its reference; too few rows came to have shown a medium shift; its silence means something."""
Headers: TypeAlias = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class OwnSpan:
    """What is known of the span that Dashlight itself opened for an exchange.

    *name*, *attributes*, *events*, *status_code* and *status_description* are what the application
    set on it through the OpenTelemetry API; they win over what Dashlight writes.
    """

    parent_id: int = 0
    trace_state: str = ""
    parent_is_remote: bool = False
    name: str | None = None
    attributes: Mapping[str, object] = field(default_factory=dict[str, object])
    events: Sequence[tuple[str, int, Mapping[str, object]]] = ()
    links: Sequence[tuple[int, int, int, str, Mapping[str, object]]] = ()
    status_code: int = 0
    status_description: str = ""
    dropped_attributes: int = 0  # for which there was no room within the limits; likewise the two that follow
    dropped_events: int = 0
    dropped_links: int = 0

    @property
    def is_described(self) -> bool:
        """Whether the application set anything on it."""
        return bool(self.attributes or self.events or self.links or self.status_code) or self.name is not None


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What an adapter says that an exchange asked and answered: the values themselves, as it had them.

    *inputs* or *outputs* is None where the body of the request or of the answer is to be read.
    """

    inputs: object = None
    outputs: object = None
    model: str = ""
    version: str = ""
    failure: str = ""
    """What went wrong although the status does not say so, or empty."""


# A msgspec structure because it is made on the request path, where a frozen dataclass of this
# many fields costs two microseconds and this one a quarter of one.
class Exchange(msgspec.Struct, frozen=True, gc=False):
    """One request and its response, as bytes, with the readings of the clocks."""

    id: int
    """128 bits of a UUIDv7: the prediction id."""
    route: str  # its template, or `unmatched`
    method: str
    path: str
    query: bytes
    scheme: str
    server: tuple[str, int | None] | None
    http_version: str
    request_headers: Headers
    """Of the fixed list only, names in lower case."""
    response_headers: Headers
    status: int
    """0 where no response was started."""
    error: str
    """Type of the exception that left the application, or empty."""
    outcome: Outcome
    started_at: float
    first_byte_seconds: float | None
    """To the first non-empty piece of the body."""
    duration_seconds: float
    """To the last message of the body."""
    request_bytes: int
    """Size seen of the request body, kept or not."""
    response_bytes: int
    request_chunks: Sequence[bytes]
    """The pieces that were kept, up to DASHLIGHT_MAX_BODY."""
    response_chunks: Sequence[bytes]
    trace_id: int  # 0 where there is none
    span_id: int
    trace_flags: int
    own_span: OwnSpan | None
    """None where the span is the app's, or not sampled."""
    handed: HandedOver | None = None
    """What an adapter knows of it; it goes before what its bytes say."""
    client_address: str = ""
    """Empty unless DASHLIGHT_CLIENT_ADDRESS asks for it."""
    is_bodiless: bool = False
    """Whether there was no room for its bodies: it counts, and nothing of it can be decoded."""

    @property
    def kept_bytes(self) -> int:
        """Size of what was kept of both bodies."""
        return sum(map(len, self.request_chunks)) + sum(map(len, self.response_chunks))

    @property
    def request_body(self) -> bytes:
        """What was kept of the request body."""
        return b"".join(self.request_chunks)

    @property
    def response_body(self) -> bytes:
        """What was kept of the response body."""
        return b"".join(self.response_chunks)

    @property
    def request_truncated(self) -> bool:
        """Whether the request body was longer than what was kept."""
        return sum(map(len, self.request_chunks)) < self.request_bytes

    @property
    def response_truncated(self) -> bool:
        """Whether the response body was longer than what was kept."""
        return sum(map(len, self.response_chunks)) < self.response_bytes


Cell: TypeAlias = object
"""A decoded value that is not a plain number: str, bool, None, bytes, list or dict."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Rows of named columns, kept by column: numbers in one array, everything else in lists.

    A column is in *numbers* when every value of it in this batch is an int, a float or null (no bool);
    else it is in *cells*. No name occurs twice.
    """

    rows: int
    number_names: tuple[str, ...]
    numbers: NDArray[np.float64]
    """Shape (len(number_names), rows); NaN where the value is null or missing."""
    cell_names: tuple[str, ...]
    cells: tuple[Sequence[Cell], ...]
    """One sequence of *rows* values for each of cell_names; None where null or missing."""
    exchange: NDArray[np.intp]
    """Shape (rows,): the place, in the batch that was decoded, of the exchange each row came from."""
    is_sparse: bool = False
    """Whether rows leave out what is 0: a column that it lacks is 0 in each of them, not null."""


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What exchanges of one endpoint and one model decoded to: rows of features, rows of outputs.

    The two tables need not be of one length: a ranking of fifteen answers one row.
    """

    endpoint: str
    model: str
    version: str
    protocol: str
    features: Table
    outputs: Table

    @property
    def has_columns(self) -> bool:
        """Whether there is a row with a column: without one there is nothing to judge."""
        tables = (self.features, self.outputs)
        return any(table.rows and (table.number_names or table.cell_names) for table in tables)


@dataclass(frozen=True, slots=True)
class GenerationFacts:
    """What a language model was asked for and how it answered, without a word of what was said."""

    operation: str  # `chat`, `text_completion`, `embeddings`, or empty
    protocol: str
    requested_model: str
    answered_model: str
    response_id: str
    settings: Mapping[str, object]
    """Temperature and the like, under the names of the request."""
    input_tokens: int | None
    output_tokens: int | None
    approximate: tuple[Literal["input", "output"], ...]  # whose tokens we counted, roughly: the server did not
    finish: tuple[str, ...]  # why each choice ended, in the server's words
    tool_calls: int
    refusals: int
    is_streamed: bool
    cache_read_tokens: int | None = None
    """Of the input, read from the server's cache; None, as for the two that follow, where it did not say."""
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None  # of the output


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
