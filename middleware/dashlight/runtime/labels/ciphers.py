"""The keys of sealed ids: AES-256-GCM-SIV, made of DASHLIGHT_SECRET."""

from __future__ import annotations

from collections.abc import Sequence

from dashlight.deliver.spool.ciphers import Aead
from dashlight.errors import SettingsError
from dashlight.labels.sealed import SealingKey, secret_of


def sealing_keys(secrets: Sequence[str]) -> tuple[SealingKey, ...]:
    """A key for each of *secrets*, in their order.

    Raises:
        MissingExtraError: cryptography is not installed.
        SettingsError: what it stands on is too old for this cipher.
    """
    try:
        return tuple(SealingKey(name, Aead("AESGCMSIV", key)) for name, key in map(secret_of, secrets))
    except NotImplementedError:
        wanted = "AES-GCM-SIV beside it, which comes with OpenSSL 3.2 and the wheels of cryptography"
        raise SettingsError("DASHLIGHT_SECRET", "***", wanted) from None
