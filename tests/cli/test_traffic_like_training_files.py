"""Texts of traffic, in every format, against references of files that people write: they count as what they say."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlencode

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from dashlight.cli.main import main
from dashlight.counting.policy import Policy
from dashlight.counting.rows import RowCounter
from dashlight.decode.batch import Decoder
from dashlight.records import Exchange, HandedOver
from dashlight.window.columns import Reference
from dashlight.window.layout import NULL, TYPE_ERROR, UNSEEN
from dashlight.window.reference.file import load

Row = Mapping[str, str]
Exchanges = Callable[..., Exchange]
ROWS = 400
NAMES = ("price", "day", "insured", "garage")
BASE = pd.Timestamp("2024-01-01")


def typed(seed: int = 0) -> pd.DataFrame:
    """Numbers to two places, days, truths and words."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "price": rng.normal(2000, 900, ROWS).round(2),
            "day": BASE + pd.to_timedelta(rng.integers(0, 300, ROWS), "D"),
            "insured": rng.random(ROWS) < 0.4,
            "garage": rng.choice(["None", "one", "NA"], ROWS),
        }
    )


def german(value: float) -> str:
    return f"{value:,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".")


WRITINGS: Mapping[str, tuple[str, Callable[[float], str], str, tuple[str, str]]] = {
    "plain": (",", lambda value: f"{value:.2f}", "%Y-%m-%d", ("true", "false")),
    "American": (",", lambda value: f'"${value:,.2f}"', "%m/%d/%Y", ("Y", "N")),
    "German": (";", german, "%d.%m.%Y", ("yes", "no")),
    "French": ("\t", lambda value: german(value).replace(".", "\u202f") + " \u20ac", "%d/%m/%Y", ("TRUE", "FALSE")),
    "accounts": (",", lambda value: f"({-value:,.2f})" if value < 0 else f"{value:,.2f}", "%Y/%m/%d %H:%M", ("t", "f")),
}


def written(frame: pd.DataFrame, writing: str, null: str = "") -> list[Row]:
    """The rows of *frame* as texts, every fiftieth without a value where that is numbers, times or truths."""
    _, number, day, truths = WRITINGS[writing]
    rows = [
        {
            "price": number(row.price).strip('"'),
            "day": row.day.strftime(day),
            "insured": truths[not row.insured],
            "garage": row.garage,
        }
        for row in frame.itertuples()
    ]
    return [
        {**row, **(dict.fromkeys(("price", "day", "insured"), null) if at % 50 == 0 else {})}
        for at, row in enumerate(rows)
    ]


def reference_of(tmp_path: Path, writing: str) -> Reference:
    separator = WRITINGS[writing][0]
    lines = [separator.join(f'"{cell}"' for cell in row.values()) for row in written(typed(), writing, "n/a")]
    (tmp_path / "t.csv").write_text("\n".join([separator.join(NAMES), *lines]) + "\n")
    command = [
        "reference",
        "build",
        str(tmp_path / "t.csv"),
        "--unordered",
        "--keep",
        "*",
        "--output",
        str(tmp_path / "t.json"),
    ]
    assert main(command) == 0
    return load((tmp_path / "t.json").read_bytes())


def csv_body(rows: Sequence[Row]) -> bytes:
    lines = [",".join(f'"{cell}"' for cell in row.values()) for row in rows]
    return "\n".join([",".join(rows[0]), *lines]).encode()


def arrow_body(rows: Sequence[Row]) -> bytes:
    table = pa.Table.from_pylist([dict(row) for row in rows])
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


BODIES: Mapping[str, tuple[str, Callable[[Sequence[Row]], bytes]]] = {
    "JSON": ("application/json", lambda rows: json.dumps(rows).encode()),
    "MessagePack": ("application/msgpack", msgspec.msgpack.encode),
    "CSV": ("text/csv; header=present", csv_body),
    "Arrow": ("application/vnd.apache.arrow.stream", arrow_body),
}


def exchanges_of(rows: Sequence[Row], form: str, exchange: Exchanges) -> list[Exchange]:
    def sent(body: bytes, media_type: str, answers: int = 1, **more: object) -> Exchange:
        answer = json.dumps({"predictions": [0.5] * answers}).encode()
        return exchange(
            route="/predict", path="/predict", query=b"", request_headers=[(b"content-type", media_type.encode())],
            response_headers=[(b"content-type", b"application/json")],
            request_bytes=len(body), response_bytes=len(answer), request_chunks=(body,), response_chunks=(answer,), **more,
        )  # fmt: skip

    if form in BODIES:
        media_type, body = BODIES[form]
        return [sent(body(rows), media_type, len(rows))]
    if form == "form":
        return [sent(urlencode(row).encode(), "application/x-www-form-urlencoded") for row in rows]
    return [sent(b"", "", handed=HandedOver(inputs=dict(row), outputs={"p": 0.5})) for row in rows]


def counts(reference: Reference, exchanges: Sequence[Exchange]) -> dict[str, NDArray[np.int64]]:
    """What a server counts of *exchanges*, by column."""
    counter = RowCounter(reference, Policy())
    for prediction in Decoder(model="", version="").decode(exchanges).predictions:
        counter.add(prediction, np.zeros(len(exchanges), "V16"))
    pane = counter.close()
    assert pane is not None
    return {column.name: pane.counts[at] for at, column in enumerate(reference.columns)}


@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize("form", [*BODIES, "form", "handed over"])
def test_texts_of_traffic_count_as_what_they_say(tmp_path: Path, exchange: Exchanges, writing: str, form: str) -> None:
    reference = reference_of(tmp_path, writing)
    rows = written(typed(), writing, "N/A")

    found = counts(reference, exchanges_of(rows, form, exchange))

    assert {column.name: column.kind for column in reference.columns if not column.of} == {
        "price": "numeric", "day": "numeric", "insured": "boolean", "garage": "categorical",
    }  # fmt: skip
    for column in reference.columns:
        assert found[column.name].tolist() == column.counts.tolist(), column.name
        assert found[column.name][NULL] == (ROWS // 50 if column.name != "garage" else 0)
        assert found[column.name][TYPE_ERROR] == 0


@pytest.mark.parametrize("writing", WRITINGS)
def test_texts_of_traffic_count_against_numbers_and_times_that_never_were_texts(
    tmp_path: Path, exchange: Exchanges, writing: str
) -> None:
    frame = typed()
    frame.to_parquet(tmp_path / "t.parquet")
    command = [
        "reference",
        "build",
        str(tmp_path / "t.parquet"),
        "--unordered",
        "--keep",
        "*",
        "--output",
        str(tmp_path / "t.json"),
    ]
    assert main(command) == 0
    reference = load((tmp_path / "t.json").read_bytes())

    found = counts(reference, exchanges_of(written(typed(), writing, "-")[1:], "JSON", exchange))

    for column in reference.columns:
        assert found[column.name][TYPE_ERROR] == 0, column.name
        assert np.abs(found[column.name] - column.counts).sum() <= 2 * ROWS // 50, column.name


@pytest.mark.parametrize("form", ["Arrow", "Parquet", "a frame handed over"])
def test_values_that_have_a_type_count_against_what_was_written(tmp_path: Path, exchange: Exchanges, form: str) -> None:
    reference = reference_of(tmp_path, "German")
    frame = typed()
    body = arrow_body(frame.to_dict("records")) if form == "Arrow" else frame.to_parquet()
    media_type = "application/vnd.apache.arrow.stream" if form == "Arrow" else "application/vnd.apache.parquet"
    handed = HandedOver(inputs=frame, outputs=[0.5] * ROWS) if form == "a frame handed over" else None
    answer = json.dumps({"predictions": [0.5] * ROWS}).encode()
    sent = exchange(
        route="/predict", path="/predict", query=b"", request_headers=[(b"content-type", media_type.encode())],
        response_headers=[(b"content-type", b"application/json")], handed=handed,
        request_bytes=len(body), response_bytes=len(answer), request_chunks=(body,), response_chunks=(answer,),
    )  # fmt: skip

    found = counts(reference, [sent])

    for column in reference.columns:
        assert found[column.name][TYPE_ERROR] == 0, column.name
        assert np.abs(found[column.name] - column.counts).sum() <= 2 * ROWS // 50, column.name


def test_what_says_nothing_of_the_kind_stays_of_wrong_type(tmp_path: Path, exchange: Exchanges) -> None:
    reference = reference_of(tmp_path, "plain")
    rows = [
        {"price": "cheap", "day": "soon", "insured": "perhaps", "garage": ""},
        {"price": "inf", "day": "2024-02-30", "insured": "2", "garage": "None"},
        {"price": "007", "day": "3/4/2024", "insured": "unknown", "garage": "one"},
    ]

    found = counts(reference, exchanges_of(rows, "JSON", exchange))

    assert [int(found[name][TYPE_ERROR]) for name in ("price", "day")] == [3, 3]
    assert found["insured"][TYPE_ERROR] + found["insured"][UNSEEN] == 3
    assert found["garage"][NULL] == 0
