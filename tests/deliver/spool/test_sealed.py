from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from dashlight.deliver.outbox import Counts
from dashlight.deliver.spool.sealed import SpoolKey
from dashlight.errors import MissingExtraError, StateError

pytest.importorskip("cryptography")


@pytest.fixture(scope="module")
def key() -> SpoolKey:
    return SpoolKey("a long secret of ours")


def test_what_is_sealed_is_opened_by_the_same_secret_and_tells_nothing(process: Any, root: Path, key: SpoolKey) -> None:
    one = process(seal=key)
    one.write("Jane Doe", key="jane's batch")
    one.die()

    blobs = b"".join(path.read_bytes() for path in root.rglob("*") if path.is_file())

    assert b"Jane" not in blobs
    assert b"jane" not in blobs
    assert process(seal=SpoolKey("a long secret of ours")).drain() == ["Jane Doe"]


def test_two_records_of_the_same_words_look_different(key: SpoolKey) -> None:
    assert key.close(b"same", label=b"") != key.close(b"same", label=b"")


@pytest.mark.parametrize("secret", ["", "another secret of ours"], ids=["no key", "another key"])
def test_who_has_not_the_key_keeps_what_is_sealed_and_says_so(
    process: Any, key: SpoolKey, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    one = process(seal=key)
    one.write("a")
    one.die()
    two = process(seal=SpoolKey(secret) if secret else None)

    assert two.drain() == []
    assert two.outbox.counts() == Counts()
    assert "of another format, destination or key" in caplog.text
    two.die()
    assert process(seal=key).drain() == ["a"]


def test_who_has_a_key_sends_what_was_not_sealed(process: Any, key: SpoolKey) -> None:
    one = process()
    one.write("plain")
    one.die()

    assert process(seal=key).drain() == ["plain"]


def test_what_somebody_changed_is_set_aside(process: Any, root: Path, key: SpoolKey) -> None:
    import zlib

    one = process(seal=key)
    one.write("a")
    one.die()
    (path,) = root.rglob("*.open")
    blob = bytearray(path.read_bytes())
    blob[-1] ^= 1
    # Whoever changes it on purpose mends the checksum.
    blob[7:11] = zlib.crc32(bytes(blob[15:]), 1).to_bytes(4, "little")
    path.write_bytes(blob)

    two = process(seal=key)

    assert two.drain() == []
    assert two.outbox.counts() == Counts(recovered=1, dropped={"corrupt": 1})


def test_a_seal_is_bound_to_where_it_stands(key: SpoolKey) -> None:
    sealed = key.close(b"content", label=b"events")

    with pytest.raises(StateError, match="was not sealed with this key"):
        key.open(sealed, label=b"spans")
    with pytest.raises(StateError):
        key.open(b"", label=b"events")


def test_without_the_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'dashlight\[sealed\]'"):
        SpoolKey("a long secret of ours")
