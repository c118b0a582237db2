"""Encryption of what is kept on disk: AES-256-GCM under a key made of DASHLIGHT_SPOOL_KEY."""

import hashlib
import os
from typing import Final

from dashlight.deliver.spool.ciphers import NONCE_BYTES, Aead
from dashlight.errors import StateError

_SALT: Final = b"dashlight spool 1"
_KEY_BYTES, _ID_BYTES = 32, 8


class SpoolKey:
    """Seals records. Made once at the start: deriving the key takes about 50 ms, so that guessing is dear.

    Each record has a random nonce of 96 bits; NIST SP 800-38D allows 2^32 records under one key.

    Raises:
        MissingExtraError: cryptography is not installed.
    """

    def __init__(self, secret: str) -> None:
        made = hashlib.scrypt(
            secret.encode(), salt=_SALT, n=2**14, r=8, p=1, maxmem=2**26, dklen=_KEY_BYTES + _ID_BYTES
        )
        self._cipher = Aead("AESGCM", made[:_KEY_BYTES])
        self.id = made[_KEY_BYTES:].hex()
        """Stands in the names of files, so that whoever has another key leaves them alone."""

    def close(self, content: bytes, *, label: bytes) -> bytes:
        """*content*, encrypted, bound to *label*; the nonce stands before it."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, label)

    def open(self, sealed: bytes, *, label: bytes) -> bytes:
        """What was sealed under the same *label*.

        Raises:
            StateError: it was not, or was changed since.
        """
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], label)
        except ValueError:
            raise StateError("corrupt", "a record was not sealed with this key, or was changed") from None
