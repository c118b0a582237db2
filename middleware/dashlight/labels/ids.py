"""What a prediction is known by: its id as clients know it, and the hash that is kept of it."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.rows import KEY_BYTES
from dashlight.privacy.hashing import HashKey

_NO_KEY: Final = bytes(KEY_BYTES)


def id_of_row(exchange_id: str, place: int) -> str:
    """The id of the row at *place*, from 0, of a batch that has one id: `<exchange id>:<place>`."""
    return f"{exchange_id}:{place}"


def id_of_step(row_id: str, step: int) -> str:
    """The id of one *step*, from 1, of a forecast: `<id>@<step>`."""
    return f"{row_id}@{step}"


def key_of(prediction_id: str, key: HashKey) -> bytes:
    """What is kept of a prediction id: keyed BLAKE2b of KEY_BYTES. Source: RFC 7693."""
    return blake2b(
        prediction_id.encode(errors="surrogatepass"), key=key.secret, digest_size=KEY_BYTES, person=b"prediction id"
    ).digest()


def keys_of(prediction_ids: Iterable[str], key: HashKey) -> NDArray[np.void]:
    """What is kept of each of *prediction_ids*, shape (ids,); of an empty one all zero, which stands for none."""
    fresh = blake2b(key=key.secret, digest_size=KEY_BYTES, person=b"prediction id").copy
    digests: list[bytes] = []
    for each in prediction_ids:
        if each:
            hashing = fresh()
            hashing.update(each.encode(errors="surrogatepass"))
            digests.append(hashing.digest())
        else:
            digests.append(_NO_KEY)
    return np.frombuffer(b"".join(digests), np.dtype(f"V{KEY_BYTES}"))


def entity_of(entity: str, key: HashKey) -> bytes:
    """What is kept of whom a prediction was about, likewise."""
    return blake2b(
        entity.encode(errors="surrogatepass"), key=key.secret, digest_size=KEY_BYTES, person=b"entity"
    ).digest()


def item_of(item: str, key: HashKey) -> int:
    """What is kept of an item of a ranking: 64 bits, never 0."""
    digest = blake2b(item.encode(errors="surrogatepass"), key=key.secret, digest_size=8, person=b"item").digest()
    return int.from_bytes(digest, "little") or 1
