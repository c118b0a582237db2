from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dashlight.labels.label import Label
from dashlight.labels.rows import ModelKey, ScoredRows
from dashlight.labels.store import LabelStore
from dashlight.testing import FakeClock

Make = Callable[..., ScoredRows]
Open = Callable[..., LabelStore]
NOW = 1_700_000_000.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def store(open_store: Open, clock: FakeClock) -> LabelStore:
    return open_store(clock)


def labels_of(store: LabelStore, cursor: int = 0) -> list[float]:
    return [label for rows in store.met(cursor, most_rows=1000).rows for label in rows.labels.tolist()]


def kept(store: LabelStore, *sets: ScoredRows) -> None:
    for rows in sets:
        store.keep(rows)
    store.flush(10.0)


def test_a_label_finds_its_prediction(store: LabelStore, rows: Make, model: ModelKey) -> None:
    kept(store, rows(["a", "b", "c"], scores=[0.1, 0.5, 0.9], at=NOW - 60))

    fates = store.label([Label("b", "yes"), Label("nobody", "yes")], NOW)

    met = store.met(0, most_rows=10)
    assert fates == ["matched", "unknown"]
    assert [each.scores.tolist() for each in met.rows] == [[0.5]]
    assert [each.labels.tolist() for each in met.rows] == [[1.0]]
    assert met.rows[0].model == model
    assert met.rows[0].predicted_at.tolist() == [NOW - 60]
    assert met.rows[0].labelled_at.tolist() == [NOW]
    assert met.is_all
    assert store.met(met.cursor, most_rows=10).rows == ()


def test_counts_say_how_many_wait(store: LabelStore, rows: Make, model: ModelKey) -> None:
    kept(store, rows(["a", "b", "c"], scores=[0.12, 0.18, math.nan], at=NOW), rows(["d"], scores=[1.0], at=NOW - 7200))
    store.label([Label("a", "yes")], NOW)

    counts = store.waiting(model, since_at=0.0)

    cells = zip(counts.predicted_at, counts.score_bins, counts.predictions, counts.labelled, strict=True)
    hour = NOW // 3600 * 3600
    assert [tuple(map(float, cell)) for cell in cells] == [
        (hour - 7200, 9, 1, 0),
        (hour, -1, 1, 0),
        (hour, 1, 2, 1),
    ]
    assert store.waiting(model, since_at=NOW).predictions.tolist() == [1, 2]
    assert store.waiting(("/", "other", ""), since_at=0.0).predictions.tolist() == []


def test_the_newest_without_a_label_are_told(store: LabelStore, rows: Make, model: ModelKey) -> None:
    kept(store, rows([f"{n}" for n in range(6)], at=[NOW - n for n in range(6)], scores=[n / 10 for n in range(6)]))
    store.label([Label("1", "yes")], NOW)

    left = store.unlabelled(model, since_at=NOW - 4, most_rows=3)

    assert left is not None
    assert left.predicted_at.tolist() == [NOW, NOW - 2, NOW - 3]
    assert left.places.tolist() == [0, 2, 3]
    assert store.unlabelled(model, since_at=NOW + 1, most_rows=3) is None


def test_predictions_of_a_time_come_with_their_bins(store: LabelStore, rows: Make, model: ModelKey) -> None:
    made = rows([f"{n}" for n in range(200)], at=[NOW + n for n in range(200)], codes=True)
    kept(store, made)

    (within,) = store.scored(model, since_at=NOW + 50, until_at=NOW + 150, most_rows=1000)

    assert sorted(within.predicted_at.tolist()) == [NOW + n for n in range(50, 150)]
    assert within.sampled is not None
    assert within.codes is not None
    numbers = within.predicted_at[within.sampled] - NOW
    assert within.codes.tolist() == [numbers.tolist()] * 3


def test_of_many_predictions_a_uniform_share_is_read(store: LabelStore, rows: Make, model: ModelKey) -> None:
    kept(store, rows([f"{n}" for n in range(20_000)], at=np.linspace(NOW - 3600, NOW, 20_000).tolist()))

    sets = store.scored(model, since_at=0.0, until_at=NOW + 1, most_rows=2000)

    times = np.concatenate([each.predicted_at for each in sets])
    assert 1700 <= len(times) <= 2300
    assert abs(times.mean() - (NOW - 1800)) < 5 * 3600 / math.sqrt(12 * len(times))


def test_the_first_of_several_labels_stays(store: LabelStore, rows: Make) -> None:
    kept(store, rows(["a"], at=NOW))

    fates = [
        *store.label([Label("a", "yes"), Label("a", "no")], NOW),
        *store.label([Label("a", "yes"), Label("a", "maybe")], NOW),
    ]

    assert fates == ["matched", "duplicate", "duplicate", "invalid"]
    assert labels_of(store) == [1.0]
    assert store.troubles() == {"repeated": 1, "contradicted": 1}


def test_a_label_that_is_faster_than_its_prediction_waits_for_it(store: LabelStore, rows: Make) -> None:
    first = store.label([Label("a", "yes"), Label("never", 1)], NOW)
    kept(store, rows(["a", "b"], at=NOW - 1))

    assert first == ["unknown", "unknown"]
    assert labels_of(store) == [1.0]
    assert store.label([Label("a", "yes")], NOW) == ["duplicate"]
    assert store.troubles() == {"joined_later_matched": 1, "repeated": 1}


def test_a_label_waits_for_an_hour_or_so(store: LabelStore, rows: Make, clock: FakeClock) -> None:
    store.label([Label("a", "yes")], NOW - 2.5 * 3600)
    clock.advance(40.0)
    kept(store, rows(["z"], at=NOW))
    kept(store, rows(["a"], at=NOW - 3 * 3600))

    assert labels_of(store) == []


def test_a_label_after_its_window_is_too_late(store: LabelStore, rows: Make) -> None:
    kept(store, rows(["a", "b"], at=[NOW - 86401, NOW - 86399]))

    assert store.label([Label("a", "yes"), Label("b", "yes")], NOW) == ["too_late", "matched"]


def test_a_label_became_known_between_its_prediction_and_its_coming(store: LabelStore, rows: Make) -> None:
    kept(store, rows(["a", "b", "c", "d"], at=NOW - 100))

    labels = [Label("a", "yes", at=NOW - 50), Label("b", "yes", at=NOW + 9), Label("c", "yes", at=0.0)]
    store.label([*labels, Label("d", "yes", at=math.nan)], NOW)

    (met,) = store.met(0, most_rows=9).rows
    assert met.labelled_at.tolist() == [NOW - 50, NOW, NOW - 100, NOW]


@pytest.mark.parametrize(
    ("task", "classes", "value", "truth"),
    [
        ("binary", ("no", "yes"), True, 1.0),
        ("binary", ("no", "yes"), 0, 0.0),
        ("binary", ("0", "1"), 1.0, 1.0),
        ("binary", ("no", "yes"), "perhaps", None),
        ("multiclass", ("cat", "dog"), "dog", 1.0),
        ("multiclass", ("cat", "dog"), "cow", -1.0),
        ("multiclass", ("1", "2", "3"), 3.0, 2.0),
        ("multiclass", ("cat", "dog"), "", None),
        ("regression", (), 3, 3.0),
        ("regression", (), " 2.5 ", 2.5),
        ("regression", (), True, None),
        ("regression", (), "soon", None),
        ("regression", (), math.inf, None),
        ("text", (), True, 1.0),
        ("text", (), 4, 4.0),
        ("text", (), "fine", None),
        ("ranking", (), "b", 2.0),
        ("ranking", (), 7, 3.0),
        ("ranking", (), "elsewhere", 0.0),
        ("ranking", (), "", 0.0),
        ("ranking", (), True, None),
    ],
)
def test_a_label_is_understood_by_its_task(  # noqa: PLR0917
    store: LabelStore, rows: Make, task: str, classes: tuple[str, ...], value: str | float, truth: float | None
) -> None:
    items = [["a", "b", "7"]] if task == "ranking" else None
    kept(store, rows(["x"], task=task, classes=classes, items=items, at=NOW))

    fates = store.label([Label("x", value)], NOW)

    assert fates == ["invalid" if truth is None else "matched"]
    assert labels_of(store) == ([] if truth is None else [truth])


def test_a_label_finds_the_latest_prediction_about_an_entity(store: LabelStore, rows: Make) -> None:
    at = [NOW - 7200, NOW - 300, NOW - 100, NOW + 50]
    kept(store, rows(["a", "b", "c", "d"], at=at, entities=["u", "u", "w", "u"], scores=[0.1, 0.2, 0.3, 0.4]))

    fates = store.label(
        [
            Label("", "yes", at=NOW, entity="u", within_seconds=3600),
            Label("", "yes", at=NOW, entity="w", within_seconds=50),
            Label("", "yes", at=NOW, entity="nobody", within_seconds=3600),
        ],
        NOW + 60,
    )

    (met,) = store.met(0, most_rows=9).rows
    assert fates == ["matched", "unknown", "unknown"]
    assert met.scores.tolist() == [0.2]


def test_the_id_of_a_batch_is_none_of_its_rows(store: LabelStore, rows: Make) -> None:
    kept(store, rows(["batch:0", "batch:1"], at=NOW))

    assert store.label([Label("batch", "yes"), Label("batch:1", "yes")], NOW) == ["unknown", "matched"]


def test_what_met_is_given_once_in_parts_of_any_size(store: LabelStore, rows: Make) -> None:
    kept(store, rows([f"{n}" for n in range(50)], task="regression", classes=(), at=NOW))
    for begin in range(0, 50, 7):
        store.label([Label(f"{n}", n) for n in range(begin, min(begin + 7, 50))], NOW)

    cursor, read = 0, list[float]()
    for _ in range(100):
        met = store.met(cursor, most_rows=3)
        assert sum(each.row_count for each in met.rows) <= 3
        cursor = met.cursor
        read += [label for each in met.rows for label in each.labels.tolist()]
        if met.is_all:
            break

    assert read == [float(n) for n in range(50)]


def test_silence_is_a_negative_where_it_is_said_to_be(store: LabelStore, rows: Make, model: ModelKey) -> None:
    kept(store, rows(["a", "b", "c", "d"], at=[NOW - 40, NOW - 30, NOW - 20, NOW], scores=[0.1, 0.2, 0.3, 0.4]))
    store.label([Label("b", "yes")], NOW)
    cursor = store.met(0, most_rows=9).cursor

    first = store.imply(model, before_at=NOW - 10, most_rows=1)
    second = store.imply(model, before_at=NOW - 10, most_rows=1)
    third = store.imply(model, before_at=NOW - 10, most_rows=1)

    met = store.met(cursor, most_rows=9)
    assert (first, second, third) == (1, 1, 0)
    assert [each.scores.tolist() for each in met.rows] == [[0.1], [0.3]]
    assert all(each.is_implied.all() and not each.labels.any() for each in met.rows)
    fates = store.label([Label("a", "yes"), Label("c", "no"), Label("b", "yes"), Label("d", "yes")], NOW)
    assert fates == ["too_late", "duplicate", "duplicate", "matched"]
    assert store.troubles()["late_positive"] == 1
    counts = store.waiting(model, since_at=0.0)
    assert (counts.predictions.sum(), counts.labelled.sum()) == (4, 2)
    assert store.unlabelled(model, since_at=0.0, most_rows=9) is None


def test_a_time_of_which_nothing_is_known_is_passed_over(store: LabelStore, rows: Make, model: ModelKey) -> None:
    kept(store, rows(["a", "b", "c"], at=[NOW - 40, NOW - 30, NOW - 20], scores=[0.1, 0.2, 0.3]))

    taken = store.imply(model, since_at=NOW - 25, before_at=NOW - 10, most_rows=9)

    met = store.met(0, most_rows=9)
    assert taken == 1
    assert [each.scores.tolist() for each in met.rows] == [[0.3]]
    assert store.label([Label("a", "yes")], NOW) == ["too_late"]
    assert store.imply(model, before_at=NOW - 10, most_rows=9) == 0


def test_what_is_written_after_its_silence_was_decided_is_a_negative_too(
    store: LabelStore, rows: Make, model: ModelKey
) -> None:
    kept(store, rows(["a"], at=NOW - 40))
    store.imply(model, before_at=NOW - 10, most_rows=9)
    kept(store, rows(["b", "c"], at=[NOW - 30, NOW]))

    assert [each.predicted_at.tolist() for each in store.met(0, most_rows=9).rows] == [[NOW - 40], [NOW - 30]]


def test_numbers_have_no_negative(store: LabelStore, rows: Make, model: ModelKey) -> None:
    kept(store, rows(["a"], task="regression", classes=(), at=NOW - 40))

    assert store.imply(model, before_at=NOW, most_rows=9) == 0
    assert store.label([Label("a", 2.0)], NOW) == ["matched"]


def test_a_sealed_prediction_takes_one_label(store: LabelStore, rows: Make, model: ModelKey) -> None:
    sealed = rows(["s"], at=NOW - 5, scores=[0.7])

    fates = [
        *store.label([Label("t", "no"), Label("s", "yes")], NOW, opened={1: sealed}),
        *store.label([Label("s", "yes")], NOW, opened={0: sealed}),
    ]

    assert fates == ["unknown", "matched", "duplicate"]
    assert [each.scores.tolist() for each in store.met(0, most_rows=9).rows] == [[0.7]]
    assert store.waiting(model, since_at=0.0).labelled.sum() == 0


def test_another_process_sees_the_same(open_store: Open, clock: FakeClock, rows: Make) -> None:
    one, other = open_store(clock), open_store(clock)
    kept(one, rows(["a"], at=NOW))

    assert other.label([Label("a", "yes")], NOW) == ["matched"]
    assert one.label([Label("a", "yes")], NOW) == ["duplicate"]
    assert labels_of(one) == labels_of(other) == [1.0]


def test_the_newer_of_two_predictions_of_one_id_is_meant(store: LabelStore, rows: Make) -> None:
    kept(store, rows(["a"], at=NOW - 9, scores=[0.2]))
    kept(store, rows(["a"], at=NOW, scores=[0.8]))

    store.label([Label("a", "yes")], NOW)

    assert [each.scores.tolist() for each in store.met(0, most_rows=9).rows] == [[0.8]]


def test_a_cursor_of_another_store_begins_anew(store: LabelStore, rows: Make) -> None:
    kept(store, rows(["a"], at=NOW))
    store.label([Label("a", "yes")], NOW)

    assert labels_of(store, 1 << 60) == [1.0]


def test_all_that_a_row_holds_comes_back(store: LabelStore, rows: Make, model: ModelKey) -> None:
    made = rows(["a", "b", "c"], at=[NOW, NOW + 1, NOW + 2], task="multiclass", classes=("x", "y", "z"))
    made = ScoredRows(
        model=("/p\u00e9", "m", "1"),
        task="multiclass",
        classes=("x", "y", "z"),
        keys=made.keys,
        origins=np.frombuffer(bytes(range(48)), "V16"),
        places=np.array([0, 70_000, 2], np.int32),
        predicted_at=made.predicted_at,
        scores=np.array([0.5, math.nan, 0.25]),
        predictions=np.array([2, -1, 0], np.int32),
        steps=np.array([1, 2, 3], np.int32),
        probabilities=np.array([[0.25, 0.25, 0.5], [0, 0, 0], [0.25, 0.5, 0.25]], np.float32),
        segments=np.array([[1, 2, 3], [4, 5, 6]], np.uint8),
        reference="r1",
    )
    kept(store, made)

    (back,) = store.scored(made.model, since_at=0.0, until_at=NOW + 9, most_rows=10)
    store.label([Label("b", "y"), Label("c", "z")], NOW + 5)
    (met,) = store.met(0, most_rows=9).rows

    for name in (
        "keys",
        "origins",
        "places",
        "predicted_at",
        "scores",
        "predictions",
        "steps",
        "probabilities",
        "segments",
    ):
        np.testing.assert_array_equal(getattr(back, name), getattr(made, name), err_msg=name)
    assert (back.model, back.task, back.classes, back.reference) == (made.model, made.task, made.classes, "r1")
    assert met.labels.tolist() == [1.0, 2.0]
    np.testing.assert_array_equal(met.probabilities, made.probabilities[1:])  # type: ignore[index]
    np.testing.assert_array_equal(met.segments, made.segments[:, 1:])  # type: ignore[index]
    assert met.steps.tolist() == [2, 3]


def test_silence_of_many_is_decided_from_the_oldest_on(store: LabelStore, rows: Make, model: ModelKey) -> None:
    made_at = {f"{n}": NOW - 9000 + (n * 7919) % 5000 for n in range(600)}
    for begin in range(0, 600, 100):
        names = [f"{n}" for n in range(begin, begin + 100)]
        kept(store, rows(names, at=[made_at[name] for name in names]))
    store.label([Label(f"{n}", "yes") for n in range(0, 600, 3)], NOW)
    cursor = store.met(0, most_rows=999).cursor

    taken = [store.imply(model, before_at=NOW - 4500, most_rows=70) for _ in range(8)]

    read = [moment for each in store.met(cursor, most_rows=999).rows for moment in sorted(each.predicted_at.tolist())]
    expected = sorted(moment for name, moment in made_at.items() if int(name) % 3 and moment < NOW - 4500)
    assert sum(taken) == len(expected)
    assert all(each >= 70 for each in taken[: len(expected) // 70 - 1])
    assert sorted(read) == expected


def test_texts_that_no_unicode_has_do_no_harm(store: LabelStore, rows: Make) -> None:
    odd = ("/\ud800", "m\udfff", "")
    kept(store, rows(["\ud800", "b"], task="multiclass", classes=("\udc00", "y"), model=odd, at=NOW))

    fates = store.label([Label("\ud800", "\udc00"), Label("\ud801", "\ud802"), Label("b", "x" * 2000)], NOW)
    kept(store, rows(["\ud801"], task="multiclass", classes=("\udc00", "y"), model=odd, at=NOW))

    assert fates == ["matched", "unknown", "invalid"]
    assert labels_of(store) == [0.0, -1.0]
    assert store.met(0, most_rows=9).rows[0].model == odd


def test_entities_and_times_may_be_nonsense(store: LabelStore, rows: Make) -> None:
    kept(store, rows(["a"], at=NOW, entities=["u"]))
    nonsense = [(math.nan, 1.0), (math.inf, math.inf), (-math.inf, 5.0), (NOW, math.nan), (NOW, -5.0), (1e308, 1e308)]

    fates = store.label(
        [Label("", "yes", at=at, entity="u", within_seconds=within) for at, within in nonsense], NOW + 0.5
    )

    assert set(fates) <= {"matched", "duplicate", "unknown"}
    assert fates.count("matched") == 1


def test_labels_that_wait_are_bounded_and_counted(
    store: LabelStore, rows: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("sqlite_joins", "redis_joins"):
        monkeypatch.setattr(f"dashlight.store.labels.{module}.MOST_ORPHANS", 3)

    store.label([Label(f"{n}", "yes") for n in range(5)], NOW)
    kept(store, rows([f"{n}" for n in range(5)], at=NOW))

    assert store.troubles()["orphans_not_kept"] == 2
    assert labels_of(store) == [1.0, 1.0, 1.0]


def test_an_entity_is_looked_for_in_all_batches(store: LabelStore, rows: Make) -> None:
    for n in range(6):
        kept(store, rows([f"{n}a", f"{n}b"], at=NOW - 100 * n, entities=[f"u{n % 2}", "w"], scores=[n / 10, 0.9]))

    store.label([Label("", "yes", entity="u1", at=NOW - 150, within_seconds=1000)], NOW)

    assert [each.scores.tolist() for each in store.met(0, most_rows=9).rows] == [[0.3]]


def test_the_newest_are_looked_for_first(store: LabelStore, rows: Make, model: ModelKey) -> None:
    for n in range(5):
        kept(store, rows([f"{n}"], at=NOW - 86400 * n, reference="r2" if n == 1 else ""))

    left = store.unlabelled(model, since_at=0.0, most_rows=2)

    assert left is not None
    assert left.predicted_at.tolist() == [NOW, NOW - 2 * 86400]


def test_a_cursor_outlives_what_it_has_read(store: LabelStore, rows: Make, clock: FakeClock) -> None:
    kept(store, rows(["a"], at=NOW))
    store.label([Label("a", "yes")], NOW)
    clock.advance(3 * 86400)
    tending = getattr(store, "_tending")  # noqa: B009
    tending._looked_at = float("-inf")
    kept(store, rows(["b"], at=clock.now()))
    for _ in range(100):
        if not store.met(0, most_rows=9).rows:
            break
        tending._looked_at = float("-inf")
        kept(store, rows([f"{clock.now()}"], at=clock.now()))

    met = store.met(0, most_rows=9)

    assert met.rows == ()
    assert met.is_all


def test_a_prediction_is_known_by_a_second_id(store: LabelStore, rows: Make, model: ModelKey) -> None:
    early = store.label([Label("trace-d", "yes"), Label("", "yes"), Label("d", "no")], NOW)
    made = rows(["a", "b", "c", "d"], others=["trace-a", "", "trace-c", "trace-d"], at=NOW, scores=[0.1, 0.2, 0.3, 0.4])
    kept(store, made)

    fates = store.label(
        [Label("trace-a", "yes"), Label("a", "no"), Label("b", "yes"), Label("trace-c", "no"), Label("trace-c", "yes")],
        NOW + 1,
    )

    assert early == ["unknown"] * 3
    assert fates == ["matched", "duplicate", "matched", "matched", "duplicate"]
    read = [
        pair
        for each in store.met(0, most_rows=9).rows
        for pair in zip(each.scores.tolist(), each.labels.tolist(), strict=True)
    ]
    assert len(read) == 4
    assert {score for score, _ in read} == {0.1, 0.2, 0.3, 0.4}
    assert dict(read)[0.1] == 1.0
    assert store.unlabelled(model, since_at=0.0, most_rows=9) is None
    assert store.waiting(model, since_at=0.0).labelled.sum() == 4


def test_labelled_rows_have_the_segments_and_bins_of_their_predictions(store: LabelStore, rows: Make) -> None:
    made = replace(
        rows([f"{n}" for n in range(2500)], at=NOW, codes=True, reference="r7"),
        segments=np.arange(2500, dtype=np.int64).astype(np.uint8)[np.newaxis],
        origins=np.frombuffer(b"".join(n.to_bytes(16, "big") for n in range(2500)), "V16"),
        sampled=np.arange(0, 2500, 2),
        codes=np.array([np.arange(0, 2500, 2) % 36, np.arange(0, 2500, 2) // 100], np.uint8),
    )
    kept(store, made)
    asked = [7, 8, 1030, 1031, 2048, 2499]

    store.label([Label(f"{n}", "yes") for n in asked], NOW)
    whole, first = store.met(0, most_rows=9), store.met(0, most_rows=4)
    second = store.met(first.cursor, most_rows=9)

    assert second.cursor == whole.cursor
    for part, begin in ((whole.rows[0], 0), (first.rows[0], 0), (second.rows[0], 4)):
        assert part.reference == "r7"
        assert part.segments is not None
        assert part.segments.tolist() == [[n % 256 for n in asked[begin : begin + part.row_count]]]
        assert part.sampled is not None
        assert part.codes is not None
        assert part.origins is not None
        numbers = [n for n in asked[begin : begin + part.row_count] if n % 2 == 0]
        assert [asked[begin + place] for place in part.sampled.tolist()] == numbers
        assert part.codes.tolist() == [[n % 36 for n in numbers], [n // 100 for n in numbers]]
        assert [int.from_bytes(each.tobytes(), "big") for each in part.origins] == numbers


def test_what_silence_says_has_the_bins_of_its_predictions(store: LabelStore, rows: Make, model: ModelKey) -> None:
    kept(store, rows(["a", "b", "c"], at=[NOW - 30, NOW - 20, NOW], codes=True, reference="r7"))

    store.imply(model, before_at=NOW - 10, most_rows=9)
    met = store.met(0, most_rows=9).rows

    assert [each.reference for each in met] == ["r7"]
    assert met[0].sampled is not None
    assert met[0].codes is not None
    assert met[0].codes.tolist() == [[0, 1]] * 3


def test_rows_with_bins_and_rows_without_are_joined_together(store: LabelStore, rows: Make) -> None:
    kept(store, rows(["a", "b"], at=NOW, codes=True, reference="r7"), rows(["c"], at=NOW))

    assert store.label([Label(each, "yes") for each in "cab"], NOW) == ["matched"] * 3
    met = store.met(0, most_rows=9).rows

    assert sorted((each.row_count, each.reference, each.codes is not None) for each in met) == [
        (1, "", False),
        (2, "r7", True),
    ]
