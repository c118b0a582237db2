"""Bytes that nobody reads without the key: rows to learn from hold texts, which have to be read once more.

Synthetic initialisation vector: tag = MAC(plain), cipher = plain XOR stream(tag). The same bytes give the same sealed
ones, so that nothing random is needed, and what was changed does not open.

Source: Rogaway and Shrimpton (2006), Deterministic authenticated encryption, EUROCRYPT; with keyed BLAKE2b for the MAC and
SHAKE-256 for the stream.
"""

from hashlib import blake2b, shake_256
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.privacy.hashing import HashKey

TAG_BYTES: Final = 32


def seal(plain: bytes, key: HashKey) -> bytes:
    """*plain* sealed under *key*: TAG_BYTES longer."""
    tag = _tag(plain, key)
    return tag + _mixed(plain, tag, key)


def unseal(sealed: bytes, key: HashKey) -> bytes:
    """What was sealed; ValueError where it is under another key, cut short or changed."""
    tag, cipher = sealed[:TAG_BYTES], sealed[TAG_BYTES:]
    plain = _mixed(cipher, tag, key)
    if _tag(plain, key) != tag:
        raise ValueError("sealed under another key, or damaged")
    return plain


def _tag(plain: bytes, key: HashKey) -> bytes:
    return blake2b(plain, key=_derived(key, b"tag"), digest_size=TAG_BYTES).digest()


def _mixed(content: bytes, tag: bytes, key: HashKey) -> bytes:
    stream = shake_256(_derived(key, b"stream") + tag).digest(len(content))
    mixed: NDArray[np.uint8] = np.frombuffer(content, np.uint8) ^ np.frombuffer(stream, np.uint8)
    return mixed.tobytes()


def _derived(key: HashKey, use: bytes) -> bytes:
    """A key for one *use* alone."""
    return blake2b(use, key=key.secret, digest_size=32).digest()
