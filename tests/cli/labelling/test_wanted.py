"""What `dashlight labels wanted` prints of a store with known contents."""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from dashlight.cli.labelling import wanted as labels_wanted
from dashlight.labels.ids import id_of_row, key_of
from dashlight.labels.label import Label
from dashlight.labels.rows import ScoredRows
from dashlight.privacy.hashing import HashKey
from dashlight.store.hash_key import hash_key_of
from dashlight.store.labels.sqlite_file import FILE
from dashlight.store.labels.sqlite_store import SqliteLabelStore
from dashlight.testing import FakeClock
from dashlight.workers.rendezvous import APPLICATION

NOW = 1_750_000_000.0
EXCHANGE = UUID(int=0x0190_1234_5678_7ABC_8DEF_0123_4567_89AB)


def scored(
    ids: Sequence[str], scores: np.ndarray[tuple[int], np.dtype[np.float64]], key: HashKey, at: float
) -> ScoredRows:
    count = len(ids)
    return ScoredRows(
        ("/predict", "fraud", "3"), "binary", ("no", "yes"),
        keys=np.frombuffer(b"".join(key_of(each, key) for each in ids), "V16"),
        origins=np.frombuffer(EXCHANGE.bytes * count, "V16"),
        places=np.arange(count, dtype=np.int32),
        predicted_at=np.full(count, at),
        scores=scores,
        predictions=(scores >= 0.5).astype(np.int32),
        steps=np.zeros(count, np.int32),
    )  # fmt: skip


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Of an application that keeps predictions: 400 rows of a batch, of which a few are labelled, and 40 with ids of others."""
    application = tmp_path / "app"
    application.mkdir(mode=0o700)
    (application / APPLICATION).write_text("shop:app\n")
    key = hash_key_of("", application)
    store = SqliteLabelStore(
        application / FILE, hash_key=key, label_window=90 * 86400.0, most_bytes=1 << 30, clock=FakeClock(NOW)
    )
    scores = np.tile(np.arange(0.05, 1.0, 0.1), 40)
    ours = [id_of_row(str(EXCHANGE), place) for place in range(400)]
    store.keep(scored(ours, scores, key, NOW - 3600))
    store.keep(scored([f"customer-{place}" for place in range(40)], scores[:40], key, NOW - 7200))
    store.flush(5.0)
    store.label([Label(each, "yes" if place % 3 else "no") for place, each in enumerate(ours[:200])], NOW - 60)
    store.close(5.0)
    return tmp_path


def wanted(directory: Path, *words: str) -> int:
    parser = argparse.ArgumentParser()
    labels_wanted.add_to(parser.add_subparsers())
    return labels_wanted.run(parser.parse_args(["wanted", "--state-dir", str(directory), *words]), NOW)


def test_it_says_how_many_decide_and_which_help(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert wanted(directory, "--limit", "0.5", "--most", "5") == 0

    first, decision, which, heading, *rows = capsys.readouterr().out.splitlines()
    assert first == "/predict fraud 3: 200 of 440 predictions have a label"
    assert decision.startswith("accuracy 0.")
    assert decision.endswith("would decide it against 0.5")
    assert which == "these would help most:"
    assert heading.split() == ["prediction", "id", "row", "predicted", "at", "score"]
    assert len(rows) == 5
    for row in rows:
        place = int(row.split()[1])
        assert row.split()[0] == id_of_row(str(EXCHANGE), place)
        assert place >= 200


def test_ids_of_others_are_not_told_but_time_and_row_are(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert wanted(directory, "--csv", "--most", "500") == 0

    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 240
    nameless = [row for row in rows if not row["prediction_id"]]
    assert len(nameless) == 40
    assert {row["predicted_at"] for row in nameless} == {"2025-06-15T13:06:40Z"}
    assert sorted(int(row["row"]) for row in nameless) == list(range(40))
    assert {row["label"] for row in rows} == {""}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--margin", "0.5"), "decided to 0.5 to both sides"),
        (("--margin", "0.01"), "more labels would decide it to 0.01 to both sides"),
        (("--margin", "0.00001"), "no million labels decide it"),
        (("--measure", "profit"), "profit cannot be said"),
        (("--measure", "recall", "--limit", "0.1"), "recall 0."),
    ],
    ids=["decided", "soon", "never", "unknown", "another measure"],
)
def test_what_decided_means_can_be_said(
    directory: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert wanted(directory, *words) == 0

    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--since", "soon"), "soon"),
        (("--since", "1s"), "made within 1s has a label"),
        (("--model", "churn"), "with 'churn' in its name"),
        (("--margin", "-1"), "--margin -1"),
        (("--margin", "nan"), "--margin nan"),
        (("--most", "0"), "--most 0"),
        (("--app", "other"), "names no application"),
    ],
)
def test_a_mistake_is_one_line(
    directory: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert wanted(directory, *words) == 2

    error = capsys.readouterr().err
    assert error.startswith("dashlight labels wanted: ")
    assert said in error
    assert error.count("\n") == 1


def test_where_nothing_is_kept_it_says_what_to_set(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (directory / "app" / FILE).unlink()

    assert wanted(directory) == 2
    assert "is DASHLIGHT_LABELS on?" in capsys.readouterr().err


def test_where_all_have_labels_none_is_wanted(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    application = directory / "app"
    key = hash_key_of("", application)
    store = SqliteLabelStore(
        application / FILE, hash_key=key, label_window=90 * 86400.0, most_bytes=1 << 30, clock=FakeClock(NOW)
    )
    ids = [id_of_row(str(EXCHANGE), place) for place in range(400)] + [f"customer-{place}" for place in range(40)]
    store.label([Label(each, "yes") for each in ids], NOW - 50)
    store.close(5.0)

    assert wanted(directory) == 0

    assert capsys.readouterr().out.endswith("no prediction waits for a label\n")


def test_it_changes_nothing(directory: Path) -> None:
    before = (directory / "app" / FILE).read_bytes()

    assert wanted(directory) == 0

    assert (directory / "app" / FILE).read_bytes() == before
