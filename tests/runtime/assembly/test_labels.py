from __future__ import annotations

import sys

import pytest

from dashlight.errors import MissingExtraError, SettingsError
from dashlight.privacy.hashing import HashKey
from dashlight.runtime.assembly.labels import label_store_of
from dashlight.settings import Settings
from dashlight.store.labels.redis_store import RedisLabelStore
from dashlight.store.labels.sqlite_store import SqliteLabelStore
from dashlight.testing import FakeClock

OWN = HashKey(b"k" * 32)
GIVEN = HashKey.of_setting("a secret that all machines share")


def test_without_labels_nothing_waits() -> None:
    assert label_store_of(Settings.from_env({}), None, OWN, FakeClock()) is None


def test_a_process_that_is_alone_has_a_file_of_its_own() -> None:
    store = label_store_of(Settings.from_env({"DASHLIGHT_LABELS": "true"}), None, OWN, FakeClock())

    assert isinstance(store, SqliteLabelStore)
    store.close(1.0)


def test_machines_that_share_need_one_hash_key() -> None:
    settings = Settings.from_env({"DASHLIGHT_LABELS": "true", "DASHLIGHT_STORE": "redis://localhost:1"})

    with pytest.raises(SettingsError, match="DASHLIGHT_HASH_KEY=''"):
        label_store_of(settings, None, OWN, FakeClock())
    store = label_store_of(settings, None, GIVEN, FakeClock())
    assert isinstance(store, RedisLabelStore)
    store.close(1.0)


def test_what_is_no_redis_is_said_without_its_password() -> None:
    settings = Settings.from_env(
        {"DASHLIGHT_LABELS": "true", "DASHLIGHT_STORE": "redis://u:hush@h:12/0?socket_timeout=x"}
    )

    with pytest.raises(SettingsError) as caught:
        label_store_of(settings, None, GIVEN, FakeClock())

    assert "hush" not in str(caught.value)
    assert "redis://h:12/0" in str(caught.value)


def test_a_missing_redis_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    settings = Settings.from_env({"DASHLIGHT_LABELS": "true", "DASHLIGHT_STORE": "redis://localhost:1"})

    with pytest.raises(MissingExtraError, match=r"pip install 'dashlight\[redis\]'"):
        label_store_of(settings, None, GIVEN, FakeClock())
