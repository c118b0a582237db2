"""AES-256-GCM-SIV under keys made of DASHLIGHT_SECRET, by the package cryptography."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dashlight.errors import MissingExtraError
from dashlight.labels.sealed import SealingKey, secret_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV


def sealing_keys(secrets: Sequence[str]) -> tuple[SealingKey, ...]:
    """A key for each of *secrets*, in their order.

    Raises:
        MissingExtraError: cryptography is not installed, or what it stands on is too old for this cipher.
    """
    try:
        from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm  # noqa: PLC0415 - optional
        from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV  # noqa: PLC0415 - optional
    except ImportError:
        raise MissingExtraError("cryptography", "sealed") from None
    keys: list[SealingKey] = []
    for secret in secrets:
        name, key = secret_of(secret)
        try:
            keys.append(SealingKey(name, GcmSiv(AESGCMSIV(key), InvalidTag)))
        except UnsupportedAlgorithm:  # OpenSSL before 3.2
            raise MissingExtraError("cryptography with AES-GCM-SIV", "sealed") from None
    return tuple(keys)


class GcmSiv:
    """Encrypts and authenticates."""

    def __init__(self, cipher: AESGCMSIV, refusal: type[Exception]) -> None:
        self._cipher = cipher
        self._refusal = refusal

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes:
        """*data* encrypted, with its tag."""
        return self._cipher.encrypt(nonce, data, associated_data)

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes:
        """What was encrypted; ValueError where it was not under this key, or was changed."""
        try:
            return self._cipher.decrypt(nonce, data, associated_data)
        except self._refusal:
            raise ValueError("not sealed under this key, or changed") from None
