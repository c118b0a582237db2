"""The hashes of many prediction ids, in an array."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.ids import KEY_BYTES
from dashlight.privacy.hashing import HashKey

_NO_KEY: Final = bytes(KEY_BYTES)


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
