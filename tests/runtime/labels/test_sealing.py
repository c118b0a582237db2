from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashlight.counting.scored.scorer import Scorer, Scoring
from dashlight.decode.at_once import Reads
from dashlight.decode.batch import Decoder
from dashlight.decode.rows.selection import EVERYTHING
from dashlight.labels.sealed import MOST_CHARACTERS, SealedPrediction, open_sealed
from dashlight.privacy.hashing import HashKey
from dashlight.records import Exchange

pytest.importorskip("cryptography")

from dashlight.runtime.labels.ciphers import sealing_keys
from dashlight.runtime.labels.opening import ModelNames
from dashlight.runtime.labels.sealing import MOST_ANSWERED, MOST_ASKED, Sealing

AT = 1_700_000_000.0
(KEY,) = sealing_keys(["n" * 16])
JSON = [(b"content-type", b"application/json")]


def exchange(answer: object, request: object = None) -> Exchange:
    asked = json.dumps({"age": 40} if request is None else request).encode()
    answered = json.dumps(answer).encode()
    return Exchange(
        int(AT * 1000) << 80 | 5, "/p", "POST", "/p", b"", "http", None, "1.1", JSON, JSON, 200, "", "ok", AT, None, 0.01,
        len(asked), len(answered), (asked,), (answered,), 0, 0, 0, None,
    )  # fmt: skip


def sealing(**known: Any) -> Sealing:
    scorer = Scorer(Scoring(HashKey(b"k" * 32), is_quiet=True, **known))
    return Sealing(KEY, Reads("m", "1", EVERYTHING, {}), Decoder(model="m", version="1"), scorer, ModelNames())


SEALS = sealing()


def opened(token: bytes | None) -> SealedPrediction:
    assert token is not None
    found = open_sealed(token.decode(), [KEY], at=AT, window_seconds=1.0)
    assert isinstance(found, SealedPrediction)
    return found


def test_what_was_answered_stands_in_the_id() -> None:
    found = opened(sealing()(exchange({"p": 0.75})))

    assert found == SealedPrediction(int(AT * 1000) << 80 | 5, ("/p", "m", "1"), "binary", ("0", "1"), 0.75, 1)


def test_of_many_classes_the_predicted_one_stands_in_the_id() -> None:
    seals = sealing()
    seals(exchange({"label": "b", "score": 0.5}))

    found = opened(seals(exchange({"label": "a", "score": 0.5})))

    assert (found.task, found.classes, found.prediction) == ("multiclass", ("a",), 0)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"error": "broken"}, "not_read"),
        ({"embedding": [0.1] * 40}, "not_scored"),
        ({"items": ["a", "b"]}, "not_scored"),
        ({"forecast": [1.5, 2.5]}, "not_scored"),
        ({"prediction": 1e300}, "too_long"),
    ],
    ids=["a failure", "an embedding", "a ranking", "a forecast", "a huge number"],
)
def test_what_an_id_cannot_hold_gets_none_and_is_counted(answer: object, why: str) -> None:
    seals = sealing()

    assert seals(exchange(answer)) is None
    assert seals.plain == {why: 1}


@pytest.mark.parametrize("side", ["answer", "request"])
def test_what_holds_too_many_values_is_not_read_on_the_event_loop(side: str) -> None:
    seals = sealing()
    wide = {f"x{at}": 0.5 for at in range((MOST_ANSWERED if side == "answer" else MOST_ASKED) + 2)}

    found = seals(exchange(wide) if side == "answer" else exchange({"p": 0.5}, wide))

    assert found is None
    assert seals.plain == {"too_many_values": 1}


named = st.sampled_from(
    ["p", "prediction", "probability", "probabilities", "label", "score", "forecast", "items", "id", "value", "model"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | named, inner, max_size=5),
    max_leaves=20,
)


@given(values, values)
@settings(max_examples=300, deadline=None)
def test_whatever_is_asked_and_answered_it_is_sealed_or_not(request_: object, answer: object) -> None:
    token = SEALS(exchange(answer, request_))

    assert token is None or (len(token) <= MOST_CHARACTERS and opened(token).model[0] == "/p")


def test_a_batch_gets_none() -> None:
    rows = {"instances": [{"age": 1}, {"age": 2}]}

    assert sealing()(exchange({"predictions": [0.5, 0.75]}, rows)) is None


def test_an_event_loop_never_waits_for_another() -> None:
    seals = sealing()

    class Busy(Reads):
        """One that lets another thread ask meanwhile."""

        def at_once(self, exchange: Exchange, lane: object) -> Any:
            other = threading.Thread(target=lambda: found.append(seals(exchange)))
            other.start()
            other.join(10)
            return None

    found: list[bytes | None] = []
    seals._reads = Busy("m", "1", EVERYTHING, {})

    assert seals(exchange({"p": 0.5})) is None
    assert found == [None]
    assert seals.plain == {"busy": 1, "not_read": 1}
