"""Encryption of what is kept on disk: AES-256-GCM under a key made of DASHLIGHT_SPOOL_KEY."""

import hashlib
import os
from typing import Final

from dashlight.errors import MissingExtraError, StateError

_SALT: Final = b"dashlight spool 1"
_KEY_BYTES, _NONCE_BYTES, _ID_BYTES = 32, 12, 8


class SpoolKey:
    """Seals records. Made once at the start: deriving the key takes about 50 ms, so that guessing is dear.

    Each record has a random nonce of 96 bits; NIST SP 800-38D allows 2^32 records under one key.

    Raises:
        MissingExtraError: cryptography is not installed.
    """

    def __init__(self, secret: str) -> None:
        try:
            from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - optional
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - optional
        except ImportError:
            raise MissingExtraError("cryptography", "sealed") from None
        made = hashlib.scrypt(
            secret.encode(), salt=_SALT, n=2**14, r=8, p=1, maxmem=2**26, dklen=_KEY_BYTES + _ID_BYTES
        )
        self._cipher = AESGCM(made[:_KEY_BYTES])
        self._refusal = InvalidTag
        self.id = made[_KEY_BYTES:].hex()
        """Stands in the names of files, so that whoever has another key leaves them alone."""

    def close(self, content: bytes, *, label: bytes) -> bytes:
        """*content*, encrypted, bound to *label*; the nonce stands before it."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, label)

    def open(self, sealed: bytes, *, label: bytes) -> bytes:
        """What was sealed under the same *label*.

        Raises:
            StateError: it was not, or was changed since.
        """
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], label)
        except (self._refusal, ValueError):
            raise StateError("corrupt", "a record was not sealed with this key, or was changed") from None
