"""What a protocol is given and what it makes of it: Place and Content in, Reading out."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from dashlight.decode.columns import Sheet
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


@dataclass(frozen=True, slots=True)
class Protocol:
    """A family of inference protocols: how it is recognised and how it is read.

    To add one: a file beside the others with a PROTOCOL, and a line in protocols.PROTOCOLS.
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
