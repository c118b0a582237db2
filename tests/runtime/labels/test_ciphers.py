from __future__ import annotations

import sys

import pytest

from dashlight.errors import MissingExtraError, SettingsError
from dashlight.runtime.labels.ciphers import sealing_keys

SECRETS = ["n" * 16, "o" * 16]


def test_without_cryptography_it_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'dashlight\[sealed\]'"):
        sealing_keys(SECRETS)


def test_each_secret_is_a_key_of_its_own() -> None:
    pytest.importorskip("cryptography")
    first, second = sealing_keys(SECRETS)
    closed = first.cipher.encrypt(bytes(12), b"content", b"head")

    assert first.name != second.name
    assert first.cipher.decrypt(bytes(12), closed, b"head") == b"content"
    for cipher, head in ((second.cipher, b"head"), (first.cipher, b"other")):
        with pytest.raises(ValueError, match="not encrypted"):
            cipher.decrypt(bytes(12), closed, head)


def test_the_cipher_is_aes_gcm_siv() -> None:
    pytest.importorskip("cryptography")
    (key,) = sealing_keys(SECRETS[:1])

    # The same nonce twice tells that the content is the same, and no more: RFC 8452.
    assert key.cipher.encrypt(bytes(12), b"a" * 64, b"") == key.cipher.encrypt(bytes(12), b"a" * 64, b"")
    other = key.cipher.encrypt(bytes(12), b"a" * 63 + b"b", b"")
    assert other[:16] != key.cipher.encrypt(bytes(12), b"a" * 64, b"")[:16]


def test_a_cipher_that_is_not_there_is_a_mistake_in_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cryptography")
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.ciphers import aead

    def unsupported(key: bytes) -> object:
        raise UnsupportedAlgorithm("OpenSSL")

    monkeypatch.setattr(aead, "AESGCMSIV", unsupported)

    with pytest.raises(SettingsError, match=r"DASHLIGHT_SECRET.*AES-GCM-SIV") as refused:
        sealing_keys(SECRETS)
    assert SECRETS[0] not in str(refused.value)
