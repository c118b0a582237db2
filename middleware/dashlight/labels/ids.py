"""What a prediction is known by: its id as clients know it, and the hash that is kept of it."""

from collections.abc import Container
from hashlib import blake2b

from dashlight.privacy.hashing import HashKey

KEY_BYTES = 16
"""Of the hash that stands for a prediction id."""


def as_text(identifier: int) -> str:
    """The usual written form of a prediction id."""
    digits = f"{identifier:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def id_of_row(exchange_id: str, place: int) -> str:
    """The id of the row at *place*, from 0, of a batch that has one id: `<exchange id>:<place>`."""
    return f"{exchange_id}:{place}"


def id_of_step(row_id: str, step: int) -> str:
    """The id of one *step*, from 1, of a forecast: `<id>@<step>`."""
    return f"{row_id}@{step}"


def id_of_only_row(row_id: str, beside: Container[str] = ()) -> str:
    """The id of the exchange whose first row *row_id* names, by which that row is known where it is the only one; else empty.

    Empty, too, where the second row is *beside* it: then it is not the only one.
    """
    of_row, at, step = row_id.partition("@")
    exchange_id = of_row.removesuffix(":0")
    if not exchange_id or exchange_id == of_row or f"{id_of_row(exchange_id, 1)}{at}{step}" in beside:
        return ""
    return f"{exchange_id}{at}{step}"


def key_of(prediction_id: str, key: HashKey) -> bytes:
    """What is kept of a prediction id: keyed BLAKE2b of KEY_BYTES. Source: RFC 7693."""
    hashing = key_hashing(key)
    hashing.update(prediction_id.encode(errors="surrogatepass"))
    return hashing.digest()


def key_hashing(key: HashKey) -> blake2b:
    """What makes keys of prediction ids, before any: copied for each it is made once for many."""
    return blake2b(key=key.secret, digest_size=KEY_BYTES, person=b"prediction id")


def entity_of(entity: str, key: HashKey) -> bytes:
    """What is kept of whom a prediction was about, likewise."""
    return blake2b(
        entity.encode(errors="surrogatepass"), key=key.secret, digest_size=KEY_BYTES, person=b"entity"
    ).digest()


def item_of(item: str, key: HashKey) -> int:
    """What is kept of an item of a ranking: 64 bits, never 0."""
    digest = blake2b(item.encode(errors="surrogatepass"), key=key.secret, digest_size=8, person=b"item").digest()
    return int.from_bytes(digest, "little") or 1
