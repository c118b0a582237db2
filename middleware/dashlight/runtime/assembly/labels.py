"""Where predictions wait for their labels, as the settings say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashlight.clock import Clock
from dashlight.errors import SettingsError
from dashlight.privacy.hashing import HashKey
from dashlight.settings import Settings

if TYPE_CHECKING:
    from dashlight.labels.store import LabelStore
    from dashlight.workers.rendezvous import Meeting


def label_store_of(
    settings: Settings, meeting: Meeting | None, hash_key: HashKey, clock: Clock, *, application: str = ""
) -> LabelStore | None:
    """The store of this process; None where DASHLIGHT_LABELS is off. It opens nothing before the first prediction or label.

    *application* is what machines that share a Redis have in common, besides DASHLIGHT_HASH_KEY.

    Raises:
        SettingsError: DASHLIGHT_STORE is no Redis, or there is no DASHLIGHT_HASH_KEY with it: machines would not know each
            other's ids.
        MissingExtraError: DASHLIGHT_STORE, and redis is not installed; DASHLIGHT_SECRET, and cryptography is not.
    """
    if not settings.labels:
        return None
    from dashlight.deliver.untraced import suppress_instrumentation
    from dashlight.runtime.assembly.sealing import opening

    store: LabelStore
    if settings.store:
        from dashlight.store.labels.redis_store import RedisLabelStore

        if not hash_key.is_given:
            raise SettingsError(
                "DASHLIGHT_HASH_KEY", "", "a secret, the same on all machines that share DASHLIGHT_STORE"
            )
        store = RedisLabelStore(
            settings.store,
            application=f"{hash_key.name} {application}",
            authorities=settings.ca,
            hash_key=hash_key,
            label_window=settings.label_window,
            most_bytes=settings.store_size,
            clock=clock,
            on_thread=suppress_instrumentation,
        )
    else:
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
