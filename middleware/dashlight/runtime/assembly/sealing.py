"""Sealed ids as the settings ask for them: who seals, and who opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashlight.errors import SettingsError
from dashlight.privacy.hashing import HashKey
from dashlight.settings import Settings

if TYPE_CHECKING:
    from dashlight.counting.references import References
    from dashlight.decode.batch import Decoder
    from dashlight.labels.store import LabelStore
    from dashlight.runtime.labels.sealing import Sealing


def check_sealing(settings: Settings) -> None:
    """Refuses what cannot be meant.

    Raises:
        SettingsError: ids are to be sealed, and no header carries them.
    """
    if settings.secret and not settings.prediction_id_header:
        wanted = "DASHLIGHT_PREDICTION_ID_HEADER beside it: the header that carries sealed ids, such as x-prediction-id"
        raise SettingsError("DASHLIGHT_SECRET", "***", wanted)


def opening(store: LabelStore, settings: Settings, hash_key: HashKey) -> LabelStore:
    """*store*, which opens sealed ids too where DASHLIGHT_SECRET is set.

    Raises:
        MissingExtraError: it is, and cryptography is not installed.
    """
    if not settings.secret:
        return store
    from dashlight.runtime.labels.ciphers import sealing_keys
    from dashlight.runtime.labels.opening import OpeningStore

    keys = sealing_keys(settings.secret)
    return OpeningStore(store, keys, hash_key=hash_key, window_seconds=settings.label_window)


def sealing_of(
    settings: Settings, decoder: Decoder, references: References, hash_key: HashKey, store: LabelStore | None
) -> Sealing | None:
    """What seals ids; None where DASHLIGHT_SECRET is not set.

    Raises:
        MissingExtraError: it is, and cryptography is not installed.
    """
    if not settings.secret:
        return None
    from dashlight.counting.scored.scorer import Scorer
    from dashlight.decode.at_once import Reads
    from dashlight.decode.rows.selection import Selection
    from dashlight.runtime.assembly.keeping import scoring_of
    from dashlight.runtime.labels.ciphers import sealing_keys
    from dashlight.runtime.labels.opening import ModelNames, OpeningStore
    from dashlight.runtime.labels.sealing import Sealing

    return Sealing(
        sealing_keys(settings.secret[:1])[0],
        Reads(
            settings.model,
            settings.model_version,
            Selection(settings.features, settings.prediction, settings.ignore),
            settings.columns,
        ),
        decoder,
        Scorer(scoring_of(settings, references, hash_key, is_quiet=True)),
        store.names if isinstance(store, OpeningStore) else ModelNames(),
    )
