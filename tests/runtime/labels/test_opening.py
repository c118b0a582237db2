from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from dashlight.labels.ids import as_text, id_of_step, key_of
from dashlight.labels.label import Fate, Label
from dashlight.labels.rows import ScoredRows
from dashlight.labels.sealed import SealedPrediction, hash_of_model, seal
from dashlight.labels.truth import truth_of
from dashlight.privacy.hashing import HashKey

pytest.importorskip("cryptography")

from dashlight.runtime.labels.ciphers import sealing_keys
from dashlight.runtime.labels.opening import MOST_NAMES, ModelNames, OpeningStore, row_of

AT = 1_700_000_000.0
ORIGIN = int(AT * 1000) << 80 | 7
KEY = HashKey(b"k" * 32)
NEW, OLD = sealing_keys(["n" * 16, "o" * 16])
MODEL = ("/predict", "churn", "3")
LONG = ("/predict/" + "x" * 200, "churn", "3")


class Store:
    """A store that remembers what labels it was given."""

    def __init__(self) -> None:
        self.labels: list[Label] = []
        self.opened: Mapping[int, ScoredRows] = {}
        self.calls: list[tuple[str, object]] = []

    def label(self, labels: Sequence[Label], at: float, *, opened: Mapping[int, ScoredRows]) -> Sequence[Fate]:
        self.labels, self.opened = list(labels), opened
        return ["matched" if place in opened else "unknown" for place in range(len(labels))]

    def troubles(self) -> Mapping[str, int]:
        return {"not_kept": 1}

    def __getattr__(self, name: str) -> Any:
        return lambda *given, **named: self.calls.append((name, (given, named)))


def opening(store: Any) -> OpeningStore:
    return OpeningStore(store, [NEW, OLD], hash_key=KEY, window_seconds=86400.0)


def sealed(*, key: Any = NEW, model: tuple[str, str, str] = MODEL, classes: tuple[str, ...] = ("no", "yes")) -> str:
    token = seal(SealedPrediction(ORIGIN, model, "binary", classes, 0.75, 1), key, bytes(12))
    assert token is not None
    return token


def test_sealed_ids_are_opened_and_others_are_looked_up() -> None:
    store = Store()

    fates = opening(store).label([Label("tx-1", 1), Label(sealed(), "yes"), Label("", 1, entity="u")], AT)

    assert list(fates) == ["unknown", "matched", "unknown"]
    (rows,) = store.opened.values()
    assert list(store.opened) == [1]
    assert (rows.model, rows.task, rows.classes) == (MODEL, "binary", ("no", "yes"))
    assert (rows.scores.tolist(), rows.predictions.tolist(), rows.predicted_at.tolist()) == ([0.75], [1], [AT])
    assert rows.keys[0].tobytes() == key_of(as_text(ORIGIN), KEY)
    assert rows.origins[0].tobytes() == ORIGIN.to_bytes(16, "big")


@pytest.mark.parametrize(
    ("end", "step", "fate"),
    [
        (":0", 0, "matched"),
        (":0@2", 2, "matched"),
        ("@2", 2, "matched"),
        ("", 2, "matched"),
        (":1", 0, "invalid"),
        (":0:0", 0, "invalid"),
        ("@1", 0, "invalid"),
        ("@1", 2, "invalid"),
        ("@2@2", 2, "invalid"),
    ],
)
def test_the_only_row_and_step_of_a_sealed_id_may_be_named(end: str, step: int, fate: Fate) -> None:
    store = Store()
    token = seal(SealedPrediction(ORIGIN, MODEL, "regression", (), 0.75, -1, step), NEW, bytes(12))

    assert list(opening(store).label([Label(f"{token}{end}", 1)], AT)) == [fate]
    assert len(store.opened) == (fate == "matched")


def test_what_was_changed_is_refused_counted_and_not_shown_to_the_store() -> None:
    store = Store()
    opens = opening(store)
    (foreign,) = sealing_keys(["x" * 16])
    good = sealed()
    forged = good[:-3] + ("AAA" if good[-3:] != "AAA" else "BBB")
    first = ("A" if good[0] != "A" else "B") + good[1:]

    fates = opens.label(
        [Label(forged, 1), Label("a", 1), Label(sealed(key=foreign), 1), Label(good, 1), Label(first, 1)], AT
    )

    assert list(fates) == ["invalid", "unknown", "invalid", "matched", "invalid"]
    assert [label.id for label in store.labels] == ["a", good]
    assert list(store.opened) == [1]
    assert opens.troubles() == {"not_kept": 1, "sealed_forged": 2, "sealed_foreign": 1}


def test_what_comes_after_the_window_is_too_late() -> None:
    opens = opening(Store())

    assert list(opens.label([Label(sealed(), 1)], AT + 86401)) == ["too_late"]
    assert opens.troubles()["sealed_too_old"] == 1


def test_an_old_secret_opens_what_it_sealed() -> None:
    assert list(opening(Store()).label([Label(sealed(key=OLD), 1)], AT)) == ["matched"]


def test_a_long_name_is_known_where_the_model_is_served() -> None:
    names = ModelNames()
    assert names.name(hash_of_model(LONG)) == ("", f"sealed {hash_of_model(LONG).hex()}", "")

    names.add(LONG)
    names.add(LONG)

    assert names.name(hash_of_model(LONG)) == LONG


def test_names_without_end_are_not_remembered() -> None:
    names = ModelNames()
    models = [("/", str(number), "") for number in range(MOST_NAMES + 1)]

    for model in models:
        names.add(model)

    assert names.name(hash_of_model(models[0])) == models[0]
    assert names.name(hash_of_model(models[-1]))[1].startswith("sealed")


def test_a_label_is_compared_with_classes_that_were_too_long_for_the_id() -> None:
    long = ("stays" * 20, "leaves" * 20)
    held = SealedPrediction(ORIGIN, MODEL, "binary", long, 0.75, 1)
    store = Store()
    token = seal(held, NEW, bytes(12))
    assert token is not None

    opening(store).label([Label(token, value) for value in (long[1], long[0], "else", True)], AT)

    truths = [
        truth_of(label.value, "binary", rows.classes, None, KEY)
        for label, rows in zip(store.labels, store.opened.values(), strict=True)
    ]
    assert truths == [1.0, 0.0, None, 1.0]


def test_a_step_has_the_key_of_its_step() -> None:
    held = SealedPrediction(ORIGIN, MODEL, "regression", (), 2.5, -1, step=1)

    rows = row_of(held, 3.0, KEY, ModelNames())

    assert rows.keys[0].tobytes() == key_of(id_of_step(as_text(ORIGIN), 1), KEY)
    assert rows.steps.tolist() == [1]


def test_all_else_is_the_stores() -> None:
    store = Store()
    opens = opening(store)
    rows = row_of(SealedPrediction(ORIGIN, MODEL, "text", (), 1.0, -1), "x", KEY, ModelNames())

    opens.keep(rows)
    opens.imply(MODEL, before_at=1.0, most_rows=2, since_at=0.5)
    opens.met(3, most_rows=4)
    opens.waiting(MODEL, since_at=5.0)
    opens.unlabelled(MODEL, since_at=6.0, most_rows=7)
    opens.scored(MODEL, since_at=8.0, until_at=9.0, most_rows=10)
    opens.flush(11.0)
    opens.close(12.0)
    opens.forget()

    assert store.calls == [
        ("keep", ((rows,), {})),
        ("imply", ((MODEL,), {"before_at": 1.0, "most_rows": 2, "since_at": 0.5})),
        ("met", ((3,), {"most_rows": 4})),
        ("waiting", ((MODEL,), {"since_at": 5.0})),
        ("unlabelled", ((MODEL,), {"since_at": 6.0, "most_rows": 7})),
        ("scored", ((MODEL,), {"since_at": 8.0, "until_at": 9.0, "most_rows": 10})),
        ("flush", ((11.0,), {})),
        ("close", ((12.0,), {})),
        ("forget", ((), {})),
    ]
