"""Authenticated encryption by the package cryptography, which is optional."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from dashlight.errors import MissingExtraError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV

CipherName: TypeAlias = Literal["AESGCM", "AESGCMSIV"]
NONCE_BYTES: Final = 12


class Aead:
    """AES-GCM, or AES-GCM-SIV (RFC 8452), under one key.

    Raises:
        MissingExtraError: cryptography is not installed.
        NotImplementedError: what it stands on does not have this cipher: OpenSSL before 3.2.
    """

    def __init__(self, name: CipherName, key: bytes) -> None:
        try:
            from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm  # noqa: PLC0415 - optional
            from cryptography.hazmat.primitives.ciphers import aead  # noqa: PLC0415 - optional
        except ImportError:
            raise MissingExtraError("cryptography", "sealed") from None
        try:
            self._cipher: AESGCM | AESGCMSIV = aead.AESGCM(key) if name == "AESGCM" else aead.AESGCMSIV(key)
        except UnsupportedAlgorithm:
            raise NotImplementedError(name) from None
        self._refusal = InvalidTag

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes:
        """*data* encrypted under a *nonce* of NONCE_BYTES, with its tag."""
        return self._cipher.encrypt(nonce, data, associated_data)

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes:
        """What was encrypted; ValueError where it was not under this key, or was changed."""
        try:
            return self._cipher.decrypt(nonce, data, associated_data)
        except self._refusal:
            raise ValueError("not encrypted under this key, or changed") from None
