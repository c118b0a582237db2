"""Labels come to a real server by every way, and each is told what became of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from dashlight.clock import SystemClock
from dashlight.labels.ids import entity_of, key_of
from dashlight.labels.rows import ScoredRows
from dashlight.privacy.hashing import HashKey
from dashlight.store.labels.sqlite_file import FILE
from dashlight.store.labels.sqlite_store import SqliteLabelStore

TOKEN, LABELS_TOKEN, SECRET = "a-token-of-some-length", "good-for-labels-alone", "a-key-for-what-is-hashed"
SHOWN = {"authorization": f"Bearer {LABELS_TOKEN}"}
SERVER = [sys.executable, "-m", "uvicorn", "labelled:app", "--port", "{port}", "--log-level", "warning"]
PATIENCE_SECONDS = 30.0
FATES = ("matched", "unknown", "duplicate", "invalid", "too_late")


@dataclass(frozen=True)
class Running:
    """A server, and the store that its workers share."""

    url: str
    store: SqliteLabelStore

    def post(self, content: str, kind: str = "application/json") -> dict[str, Any]:
        answer = httpx.post(
            f"{self.url}/dashlight/labels", content=content, headers={**SHOWN, "content-type": kind}, trust_env=False
        )
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def labels(self) -> list[float]:
        """All that has met, in the order in which it came."""
        return [float(each) for rows in self.store.met(0, most_rows=100_000).rows for each in rows.labels]


def predictions(ids: Sequence[str], *, entities: Sequence[str] | None = None, at: float | None = None) -> ScoredRows:
    key, count = HashKey.of_setting(SECRET), len(ids)
    return ScoredRows(
        ("/predict", "fraud", "1"),
        "binary",
        ("no", "yes"),
        keys=np.frombuffer(b"".join(key_of(each, key) for each in ids), "V16"),
        origins=np.frombuffer(b"o" * 16 * count, "V16"),
        places=np.arange(count, dtype=np.int32),
        predicted_at=np.full(count, time.time() - 60 if at is None else at),
        scores=np.linspace(0.1, 0.9, count),
        predictions=np.zeros(count, np.int32),
        steps=np.zeros(count, np.int32),
        entities=None
        if entities is None
        else np.frombuffer(b"".join(entity_of(each, key) for each in entities), "V16"),
    )


@pytest.fixture
def running(served: Callable[..., Any], tmp_path: Path) -> Iterator[Running]:
    """A server of two workers that takes labels."""
    state = tmp_path / "state"
    environ = {
        "DASHLIGHT_LABELS": "true", "DASHLIGHT_LABELS_TOKEN": LABELS_TOKEN, "DASHLIGHT_TOKEN": TOKEN,
        "DASHLIGHT_STATE_DIR": str(state), "DASHLIGHT_HASH_KEY": SECRET,
    }  # fmt: skip
    with served([*SERVER, "--workers", "2"], environ) as url:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            answers = [httpx.post(f"{url}/dashlight/labels", headers=SHOWN, trust_env=False) for _ in range(8)]
            if {each.status_code for each in answers} == {415}:
                break
            time.sleep(0.05)
        (application,) = state.glob("*/application")
        store = SqliteLabelStore(
            application.parent / FILE,
            hash_key=HashKey.of_setting(SECRET),
            label_window=90 * 86400.0,
            most_bytes=2**30,
            clock=SystemClock(),
        )
        store.keep(predictions([f"p{number}" for number in range(50)]))
        store.keep(predictions([f"batch:{row}" for row in range(3)]))
        store.keep(predictions(["of u42"], entities=["u42"]))
        store.keep(predictions(["old"], at=time.time() - 100 * 86400.0))
        store.flush(PATIENCE_SECONDS)
        yield Running(url, store)
        store.close(PATIENCE_SECONDS)


def send(running: Running, *words: str, given: bytes = b"", **environ: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "dashlight.cli.main", "labels", "send", *words, "--to", running.url],
        input=given,
        capture_output=True,
        check=False,
        timeout=120,
        env={**os.environ, "DASHLIGHT_LABELS_TOKEN": LABELS_TOKEN, **environ},
    )


def counts(found: dict[str, Any]) -> list[int]:
    return [found[fate] for fate in FATES]


def test_labels_come_by_every_way_and_each_fate_is_right(running: Running, tmp_path: Path) -> None:
    by_json = running.post('[{"id": "p0", "label": "yes"}, {"id": "p1", "label": false}, {"id": "who", "label": 1}]')
    by_lines = running.post('{"id": "p2", "label": 1}\n{"id": "p2", "label": 1}\n{"id"', "application/x-ndjson")
    by_table = running.post("prediction_id,label\np3,yes\np4,no\np5,perhaps\n", "text/csv")
    batch = running.post('{"prediction_id": "batch", "labels": [1, null, 0]}')
    of_row = running.post('{"prediction_id": "batch", "row": 1, "label": 1}')
    only_row = [
        running.post(f'{{"prediction_id": "p{n}", {said}}}')
        for n, said in ((40, '"row": 0, "label": 1'), (41, '"labels": [1]'))
    ]
    entity = running.post('{"entity": "u42", "within": "1h", "label": 1}')
    again = running.post('[{"id": "p0", "label": "yes"}]')

    assert counts(by_json) == [2, 1, 0, 0, 0]
    assert counts(by_lines) == [1, 0, 1, 1, 0]
    assert counts(by_table) == [2, 0, 0, 1, 0]
    assert by_table["first_invalid"][0]["place"] == 3
    assert counts(batch) == [2, 0, 0, 0, 0]
    assert [counts(each) for each in only_row] == [[1, 0, 0, 0, 0]] * 2
    assert counts(of_row) == counts(entity) == [1, 0, 0, 0, 0]
    assert counts(again) == [0, 0, 1, 0, 0]
    assert running.labels() == [1, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1]

    httpx.post(f"{running.url}/thumb", params={"id": "p6", "up": "true"}, trust_env=False)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(running.labels()) < 12 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(running.labels()) == 12

    table = tmp_path / "labels.csv"
    table.write_text("request,outcome\np6,yes\np7,yes\np8,\nnobody,no\n")
    sent = send(running, str(table), "--id", "request", "--label", "outcome")
    assert (sent.returncode, sent.stdout.decode()) == (
        0,
        "3 labels: 1 matched, 1 unknown, 1 duplicate, 0 invalid, 0 too late; 1 rows without a label\n",
    )
    assert len(running.labels()) == 13


def test_without_the_token_nothing_is_taken(running: Running, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("id,label\np0,yes\n")

    refused = httpx.post(f"{running.url}/dashlight/labels", content="{}", trust_env=False)
    sent = send(running, str(table), DASHLIGHT_LABELS_TOKEN="another-token-than-this")

    assert refused.status_code == 401
    assert (sent.returncode, sent.stdout) == (2, b"")
    assert b"the token is another one" in sent.stderr
    assert running.labels() == []


def test_a_file_that_was_interrupted_goes_on_where_it_was(running: Running, tmp_path: Path) -> None:
    table = tmp_path / "labels.jsonl"
    lines = [f'{{"id": "p{number}", "labels": [{",".join("1" * 4000)}]}}' for number in range(3)]
    table.write_text("\n".join([*lines, '{"id": "p9", "label": 1}']))
    from dashlight.cli.labelling.columns import LabelColumns
    from dashlight.cli.labelling.place import SentSoFar

    SentSoFar(table, repr((f"{running.url}/dashlight/labels", LabelColumns()))).keep(3, {"unknown": 12_000})

    sent = send(running, str(table))
    again = send(running, str(table), "--from-start")

    assert b"going on after row 3" in sent.stderr
    assert sent.stdout == b"12,001 labels: 1 matched, 12,000 unknown, 0 duplicate, 0 invalid, 0 too late\n"
    assert again.stdout == b"12,001 labels: 0 matched, 12,000 unknown, 1 duplicate, 0 invalid, 0 too late\n"
    assert [path.name for path in tmp_path.glob(".*.sent")] == []


def test_ctrl_c_says_how_far_it_came_and_the_same_command_does_the_rest(running: Running, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("id,label\n" + "".join(f"nobody {number},1\n" for number in range(60_000)))
    command = [sys.executable, "-m", "dashlight.cli.main", "labels", "send", str(table), "--to", running.url]
    environ = {**os.environ, "DASHLIGHT_LABELS_TOKEN": LABELS_TOKEN}
    place = tmp_path / ".labels.csv.sent"

    begun = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not place.exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    begun.send_signal(signal.SIGINT)
    _, said = begun.communicate(timeout=60)
    rest = send(running, str(table))

    assert begun.returncode == 130
    last = said.decode().splitlines()[-1]
    assert last.startswith("dashlight labels: interrupted; ")
    assert last.endswith(" so far; the same command goes on from there")
    assert b"going on after row" in rest.stderr
    # The request that was on its way may be counted in both.
    assert rest.stdout.startswith(b"60,000 labels: 0 matched, ")
    assert not place.exists()


def test_standard_input_is_sent_and_strict_tells_by_the_exit_status(running: Running) -> None:
    well = send(running, "-", "--strict", given=b'[{"id": "p0", "label": 1}]')
    unknown = send(running, "-", "--strict", given=b"id,label\nnobody,1\n")
    joined = send(running, "-", "--join", "user", "--within", "1h", given=b"user,label\nu42,1\n")

    assert (well.returncode, well.stdout[:20]) == (0, b"1 labels: 1 matched,")
    assert unknown.returncode == 1
    assert b"no prediction has any of these ids" in unknown.stderr
    assert joined.stdout.startswith(b"1 labels: 1 matched")


@pytest.mark.parametrize(
    ("words", "sentence", "status"),
    [
        (["none.csv"], "No such file", 2),
        (["-", "--join", "user"], "expected --join and --within together", 2),
        (["-", "--join", "user", "--within", "soon"], "expected a duration such as 7d", 2),
        (["-", "--id", "x"], "has no column 'x': it has id, label", 2),
        (["-", "--to", "ftp://host"], "expected an http or https URL", 2),
        (["-", "--to", "http://127.0.0.1:9", "--timeout", "1s"], "unreachable", 1),
        (["-", "--token-file", "none.token"], "none.token", 2),
        (["https://host/labels.csv"], "download it first", 2),
    ],
    ids=["no file", "join alone", "no duration", "no column", "no URL", "nobody there", "no token file", "a URL"],
)
def test_what_cannot_be_sent_is_said_in_one_sentence(
    words: list[str], sentence: str, status: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "dashlight.cli.main", "labels", "send", "--to", "http://127.0.0.1:9", *words],
        input=b"id,label\na,1\n",
        capture_output=True,
        check=False,
        timeout=60,
        cwd=tmp_path,
        env={**os.environ, "DASHLIGHT_LABELS_TOKEN": LABELS_TOKEN},
    )

    assert (ended.returncode, ended.stdout) == (status, b"")
    last = ended.stderr.decode().splitlines()[-1]
    assert last.startswith("dashlight labels: ")
    assert sentence in last
