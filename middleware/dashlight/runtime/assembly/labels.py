"""Where predictions wait for their labels, as the settings say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashlight.clock import Clock
from dashlight.privacy.hashing import HashKey
from dashlight.settings import Settings

if TYPE_CHECKING:
    from dashlight.labels.store import LabelStore
    from dashlight.workers.rendezvous import Meeting


def label_store_of(settings: Settings, meeting: Meeting | None, hash_key: HashKey, clock: Clock) -> LabelStore | None:
    """The store of this process; None where DASHLIGHT_LABELS is off. It opens nothing before the first prediction.

    Raises:
        SettingsError: DASHLIGHT_STORE without DASHLIGHT_HASH_KEY: machines would not know each other's ids.
        MissingExtraError: DASHLIGHT_STORE, and redis is not installed; DASHLIGHT_SECRET, and cryptography is not.
    """
    if not settings.labels:
        return None
    from dashlight.deliver.untraced import suppress_instrumentation
    from dashlight.runtime.assembly.sealing import opening
    from dashlight.store.labels.sqlite_file import FILE
    from dashlight.store.labels.sqlite_store import SqliteLabelStore

    store = SqliteLabelStore(
        None if meeting is None else meeting.path / FILE,
        hash_key=hash_key,
        label_window=settings.label_window,
        most_bytes=settings.store_size,
        clock=clock,
        on_thread=suppress_instrumentation,
    )
    return opening(store, settings, hash_key)
