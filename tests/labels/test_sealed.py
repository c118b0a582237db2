from __future__ import annotations

import math
from base64 import urlsafe_b64decode, urlsafe_b64encode

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashlight.labels.rows import NO_CLASS, Task
from dashlight.labels.sealed import (
    KEY_NAME_BYTES,
    LATE_SECONDS,
    MOST_CHARACTERS,
    SealedPrediction,
    SealingKey,
    hash_of_class,
    hash_of_model,
    known_classes,
    looks_sealed,
    open_sealed,
    seal,
    secret_of,
)

pytest.importorskip("cryptography")

from dashlight.runtime.labels.ciphers import sealing_keys

AT = 1_700_000_000.0
ORIGIN = int(AT * 1000) << 80 | 12345
NEW, OLD, OTHER = sealing_keys(["n" * 16, "o" * 16, "x" * 16])
NONCE = bytes(range(12))
WINDOW = 90 * 86400.0
MODEL = ("/predict", "churn", "3")


def prediction(
    *,
    model: tuple[str, str, str] = MODEL,
    task: Task = "binary",
    classes: tuple[str, ...] = ("no", "yes"),
    score: float = 0.75,
    prediction_: int = 1,
    step: int = 0,
) -> SealedPrediction:
    return SealedPrediction(ORIGIN, model, task, classes, score, prediction_, step)


def sealed(held: SealedPrediction, key: SealingKey = NEW) -> str:
    token = seal(held, key, NONCE)
    assert token is not None
    return token


def opened(token: str, *keys: SealingKey, at: float = AT) -> SealedPrediction | str:
    return open_sealed(token, keys or (NEW,), at=at, window_seconds=WINDOW)


names = st.text(max_size=300)
held = st.builds(
    SealedPrediction,
    st.integers(int(AT * 1000) << 80, (int(AT * 1000) << 80) + (1 << 80) - 1),
    st.tuples(names, names, names),
    st.just("binary"),
    st.tuples(names, names),
    st.floats(0, 1, width=32) | st.just(math.nan),
    st.sampled_from([NO_CLASS, 0, 1]),
    st.integers(0, 512),
)


@given(held, st.binary(min_size=12, max_size=12))
@settings(max_examples=200, deadline=None)
def test_what_was_sealed_opens_and_is_never_longer_than_a_header_may_be(
    prediction_: SealedPrediction, nonce: bytes
) -> None:
    token = seal(prediction_, NEW, nonce)

    assert token is not None
    assert len(token) <= MOST_CHARACTERS
    assert looks_sealed(token)
    found = opened(token)
    assert isinstance(found, SealedPrediction)
    np.testing.assert_equal((found.origin, found.score), (prediction_.origin, prediction_.score))
    assert (found.task, found.prediction, found.step) == (prediction_.task, prediction_.prediction, prediction_.step)
    assert found.model in {prediction_.model, hash_of_model(prediction_.model)}  # type: ignore[arg-type]
    assert known_classes(found.classes, [str(each) for each in prediction_.classes]) == prediction_.classes


def test_short_names_stand_in_the_id() -> None:
    assert opened(sealed(prediction())) == prediction()


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression", "text"])
def test_every_task_but_rankings_can_be_sealed(task: Task) -> None:
    classes = {"binary": ("no", "yes"), "multiclass": ("setosa",)}.get(task, ())
    wanted = prediction(task=task, classes=classes, prediction_=0 if classes else NO_CLASS)

    assert opened(sealed(wanted)) == wanted


def test_a_ranking_and_a_number_beyond_float32_cannot() -> None:
    assert seal(prediction(task="ranking", classes=()), NEW, NONCE) is None
    assert seal(prediction(task="regression", classes=(), score=1e39), NEW, NONCE) is None


def test_a_number_is_kept_to_float32() -> None:
    found = opened(sealed(prediction(task="regression", classes=(), score=1234.56789, prediction_=NO_CLASS)))

    assert isinstance(found, SealedPrediction)
    assert found.score == float(np.float32(1234.56789))


def test_the_time_of_the_prediction_is_that_of_its_id() -> None:
    assert prediction().predicted_at == AT


def test_any_altered_byte_is_refused() -> None:
    raw = bytearray(urlsafe_b64decode(sealed(prediction()) + "=="))

    for place in range(len(raw)):
        for bit in (1, 0x80):
            altered = bytearray(raw)
            altered[place] ^= bit
            token = urlsafe_b64encode(altered).rstrip(b"=").decode()
            assert opened(token) in {"forged", "foreign"}
            assert looks_sealed(token, {NEW.name})


@given(st.data())
@settings(deadline=None)
def test_any_altered_character_is_refused(data: st.DataObject) -> None:
    token = sealed(prediction())
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda each: each != token[place]))

    changed = token[:place] + other + token[place + 1 :]

    assert isinstance(opened(changed), str)
    # The first eight tell that it is one of ours.
    assert looks_sealed(changed, {NEW.name}) or place < 8


@given(st.integers(1, 100))
@settings(deadline=None)
def test_an_id_that_is_cut_or_longer_is_refused(count: int) -> None:
    token = sealed(prediction())

    for other in (token[:-count], token + "A" * count, token + "é" * count, token[:20] + " " + token[20:]):
        assert isinstance(opened(other), str)
        assert looks_sealed(other, {NEW.name}) or len(other) < 8


def test_under_another_secret_it_is_foreign() -> None:
    assert opened(sealed(prediction(), OTHER), NEW, OLD) == "foreign"


def test_a_key_of_the_same_name_does_not_open() -> None:
    alike = SealingKey(NEW.name, OTHER.cipher)

    assert opened(sealed(prediction(), alike), NEW) == "forged"
    assert opened(sealed(prediction(), alike), NEW, alike) == prediction()


def test_after_a_rotation_both_secrets_open_until_the_old_one_goes() -> None:
    before = sealed(prediction(), OLD)

    assert opened(before, NEW, OLD) == prediction()
    assert opened(before, NEW) == "foreign"


def test_an_id_is_too_old_after_the_label_window() -> None:
    token = sealed(prediction())

    assert opened(token, at=AT + WINDOW) == prediction()
    assert opened(token, at=AT + WINDOW + 1) == "too_old"


def test_a_prediction_of_tomorrow_is_refused_and_a_clock_may_be_wrong() -> None:
    token = sealed(prediction())

    assert opened(token, at=AT - 60) == prediction()
    assert opened(token, at=AT - LATE_SECONDS - 1) == "too_old"


@pytest.mark.parametrize(
    "other",
    ["", "a", "0190a5c2-7d2e-7c3a-8b1f-0a1b2c3d4e5f", "f" * 32, "tx-1", "x" * 128, "ä" * 90, "chatcmpl-9", "a" * 4096],
)
def test_ids_of_others_are_looked_up(other: str) -> None:
    assert not looks_sealed(other, {NEW.name})
    assert open_sealed(other, [NEW], at=AT, window_seconds=WINDOW) == "forged"


def test_the_same_prediction_is_another_id_each_time() -> None:
    assert seal(prediction(), NEW, NONCE) != seal(prediction(), NEW, bytes(12))


def test_nothing_of_the_secret_or_the_prediction_can_be_read() -> None:
    name, key = secret_of("n" * 16)
    raw = urlsafe_b64decode(sealed(prediction()) + "==")

    assert len(name) == KEY_NAME_BYTES
    assert name not in key
    assert not any(part in raw for part in (key, b"churn", b"yes", b"predict", ORIGIN.to_bytes(16, "big")))


def test_a_class_whose_name_is_too_long_is_the_one_that_a_label_says() -> None:
    long = ("a" * 60, "b" * 60)
    found = opened(sealed(prediction(classes=long)))

    assert isinstance(found, SealedPrediction)
    assert found.classes == tuple(map(hash_of_class, long))
    assert known_classes(found.classes, [long[1]])[1] == long[1]
    assert known_classes(found.classes, ["c"])[1] not in {"c", long[1]}
