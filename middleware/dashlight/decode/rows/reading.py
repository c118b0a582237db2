"""What a protocol is given and what it makes of it: Place and Content in, Reading out."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from dashlight.decode.rows.columns import Sheet
from dashlight.decode.rows.failures import Failure
from dashlight.decode.rows.generation import Generation
from dashlight.records import Cell, Headers


class Absent(Enum):
    """The mark of a JSON value that is not there; None is JSON's null."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Place:
    """What the path alone tells of an exchange."""

    is_prediction: bool
    """False for health checks, documentation, logins and the like."""
    protocol: str
    """Name of the protocol whose path this is, or empty: the body decides."""
    model: str
    version: str
    why: str
    """The rule that decided, in words."""
    hints: tuple[str, ...] = ()
    """Names of the protocols that use this path too: each is asked about the body."""
    signed: tuple[str, ...] = ()
    """Names of the protocols whose headers were seen."""
    is_explanation: bool = False
    """Whether the answer explains an output instead of being one: there are features, and no outputs."""


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """One body with its coding undone."""

    body: bytes
    media_type: str
    """In lower case, without parameters; empty where none was sent."""
    headers: Headers
    value: object = ABSENT
    """The JSON value, the text of a text body, or ABSENT."""
    is_sniffed: bool = False
    """Whether the bytes told the kind, not the Content-Type."""
    is_sparse: bool = False
    """Whether its rows leave out what is 0."""
    is_separated: bool = False
    """Whether it is lines of separated values."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One exchange, read: tables and what belongs to the exchange as a whole."""

    features: Sheet
    outputs: Sheet | None
    """None where there is no answer to read."""
    model: str = ""
    version: str = ""
    request_id: str = ""
    params: Mapping[str, Cell] = field(default_factory=dict[str, Cell])
    flags: frozenset[str] = frozenset()
    generation: Generation | None = None
    """What a language model was asked and wrote; None where none was asked."""
    failure: Failure | None = None
    """What the answer, in the protocol's own words, says went wrong in spite of its status: there are no outputs."""


def claims_nothing(_value: object) -> bool:
    """What a protocol says of a path that it shares with none."""
    return False


@dataclass(frozen=True, slots=True)
class Protocol:
    """A family of inference protocols: how it is recognised and how it is read.

    To add one: a file beside the others with a PROTOCOL, and a line in protocols.PROTOCOLS. A path of its own decides,
    unless a more specific protocol shares it. Otherwise the most specific protocol counts whose headers were seen, whose
    shared path it is, or whose keys the body has, and which claims the body.
    """

    name: str
    paths: tuple[re.Pattern[str], ...]
    """Matched from the start or after any prefix; the groups `model` and `version` are used."""
    keys: frozenset[str]
    """Top-level keys that a request of unknown path must have to be asked for `claims`."""
    claims: Callable[[object], bool]
    """Whether a request value is laid out as this protocol wants it."""
    read: Callable[[Content, Content | None, Place], Reading]
    """Raises DecodeError where the request is not laid out as the protocol wants it."""
    is_read_by_shape: bool
    """Whether names, keys, types and lengths alone decide what becomes a column: the values do not matter."""
    any_keys: frozenset[str] = frozenset()
    """Top-level keys of which such a request must have one besides."""
    shared_paths: tuple[re.Pattern[str], ...] = ()
    """Paths that others use as well: under them `claims_there` decides."""
    claims_there: Callable[[object], bool] = claims_nothing
    """Whether a request value under a shared path is this protocol's."""
    headers: tuple[tuple[bytes, re.Pattern[str]], ...] = ()
    """Headers, of the request or the answer, that nobody else sends, and what the whole of their value looks like."""
    rank: int = 10
    """How specific it is: of several that claim a body the one with the smallest rank reads it."""
