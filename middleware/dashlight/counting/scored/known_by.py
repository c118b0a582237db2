"""By which ids the rows of a batch are known: ours, and one that somebody else gave them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.decode.identities import Identities
from dashlight.decode.rows.matching.prediction_ids import LONGEST_ID
from dashlight.labels.ids import KEY_BYTES, as_text, id_of_row, id_of_step, key_hashing
from dashlight.privacy.hashing import HashKey
from dashlight.records import Exchange

SERVER_HEADERS = (b"x-bentoml-request-id", b"x-amzn-sagemaker-inference-id")
"""In which a server names an exchange."""
_NOBODY: Final[Sequence[str]] = ()
_NO_KEY: Final = bytes(KEY_BYTES)


@dataclass(frozen=True, slots=True)
class Numbered:
    """Which rows of a batch are of one exchange."""

    exchange: NDArray[np.intp]
    """Shape (rows,): the place of the exchange of each."""
    places: NDArray[np.int32]
    """Shape (rows,): its number in the exchange, from 0."""
    counts: NDArray[np.intp]
    """Shape (rows,): rows of that exchange."""


@dataclass(frozen=True, slots=True, eq=False)
class KnownBy:
    """The keys of some rows."""

    keys: NDArray[np.void]
    other_keys: NDArray[np.void] | None
    """None where no row has one."""
    doubled_count: int
    """Ids of others that came twice in the batch: the first keeps it."""


def numbered(exchange: NDArray[np.intp]) -> Numbered:
    """The rows of a table, those of one exchange side by side."""
    if not len(exchange):
        return Numbered(exchange, np.zeros(0, np.int32), np.zeros(0, np.intp))
    begins = np.flatnonzero(np.concatenate(([True], exchange[1:] != exchange[:-1])))
    lengths = np.diff(np.append(begins, len(exchange)))
    places = np.arange(len(exchange)) - np.repeat(begins, lengths)
    return Numbered(exchange, places.astype(np.int32), np.repeat(lengths, lengths))


def known_by(
    exchanges: Sequence[Exchange],
    of: Numbered,
    steps: NDArray[np.int32],
    *,
    ids: Identities,
    key: HashKey,
) -> KnownBy:
    """The keys of the rows *of* a batch of *exchanges*, each with its step, 0 where it is none."""
    of_exchange: list[int] = of.exchange.tolist()
    of_place: list[int] = of.places.tolist()
    distinct = set(of_exchange)
    ours = {place: as_text(exchanges[place].id) for place in distinct}
    theirs = {place: _whole_id(exchanges[place], ids.whole.get(place, "")) for place in distinct}
    of_rows = ids.rows
    own: list[str] = []
    other: list[str] = []
    seen: set[str] = set()
    doubled_count = 0
    for place, row, count, step in zip(of_exchange, of_place, of.counts.tolist(), steps.tolist(), strict=True):
        text, given = ours[place], theirs[place]
        if count > 1:
            text = id_of_row(text, row)
            given = given and id_of_row(given, row)
        named = of_rows.get(place, _NOBODY)
        if row < len(named):
            given = named[row] or given
        if step:
            text, given = id_of_step(text, step), given and id_of_step(given, step)
        own.append(text)
        if given in seen:
            doubled_count += 1
            given = ""
        elif given:
            seen.add(given)
        other.append(given)
    return KnownBy(keys_of(own, key), keys_of(other, key) if seen else None, doubled_count)


def _whole_id(exchange: Exchange, told: str) -> str:
    """What else names all of *exchange*: its payload or its server, else its trace."""
    if told:
        return told
    for headers in (exchange.response_headers, exchange.request_headers):
        for name, value in headers:
            if name in SERVER_HEADERS and 0 < len(value) <= LONGEST_ID:
                return value.decode("latin-1")
    return f"{exchange.trace_id:032x}" if exchange.trace_id else ""


def keys_of(prediction_ids: Iterable[str], key: HashKey) -> NDArray[np.void]:
    """What is kept of each of *prediction_ids*, shape (ids,); of an empty one all zero, which stands for none."""
    fresh = key_hashing(key).copy
    digests: list[bytes] = []
    for each in prediction_ids:
        if each:
            hashing = fresh()
            hashing.update(each.encode(errors="surrogatepass"))
            digests.append(hashing.digest())
        else:
            digests.append(_NO_KEY)
    return np.frombuffer(b"".join(digests), np.dtype(f"V{KEY_BYTES}"))
