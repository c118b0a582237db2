"""Training files as people have them, one of each kind: small, and the same at every call."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

ROWS = 1000
ODD_ROW, ODD_ROWS = 3210, 5000
"""Where the one odd cell stands, counted from 1 without the header, and among how many."""
_CITIES = ("Bonn", "Kiel", "Ulm", "Köln")
_NULLS = ("", "NA", "N/A", "n/a", "null", "None", "nan", "NaN", "-", "?", ".", " ", "#N/A", "#DIV/0!")
_FIRST = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)

Columns = Mapping[str, Sequence[str]]


def _rng() -> np.random.Generator:
    return np.random.default_rng(12)


def _numbers(rows: int = ROWS) -> list[float]:
    values: list[float] = _rng().normal(1500, 400, rows).round(2).tolist()
    return values


def _cities(rows: int = ROWS) -> list[str]:
    cities: list[str] = _rng().choice(_CITIES, rows, p=[0.5, 0.3, 0.15, 0.05]).tolist()
    return cities


def _moments(rows: int = ROWS) -> list[datetime]:
    """One every seven hours: nine months, so that days beyond the twelfth tell a day from a month."""
    return [_FIRST + timedelta(hours=7 * row) for row in range(rows)]


def _plain(rows: int = ROWS) -> dict[str, Sequence[str]]:
    return {"price": [f"{value:.2f}" for value in _numbers(rows)], "city": _cities(rows)}


def _lines(columns: Columns, delimiter: str = ",", end: str = "\n") -> str:
    rows = zip(*columns.values(), strict=True)
    return "".join(delimiter.join(cells) + end for cells in (columns.keys(), *rows))


def _grouped(value: float, *, group: str, decimal: str) -> str:
    return f"{value:,.2f}".replace(",", "_").replace(".", decimal).replace("_", group)


def _decimal_comma() -> bytes:
    prices = [f"{value:.2f}".replace(".", ",") for value in _numbers()]
    return _lines({"price": prices, "city": _cities()}, ";", "\r\n").encode("utf-8-sig")


def _tab() -> bytes:
    return _lines(_plain(), "\t").encode()


def _pipe() -> bytes:
    return _lines(_plain(), "|").encode()


def _currency() -> bytes:
    dollars = [f'"${_grouped(value, group=",", decimal=".")}"' for value in _numbers()]
    euros = [f'"{_grouped(value, group=".", decimal=",")} €"' for value in _numbers()]
    return _lines({"price": dollars, "preis": euros, "city": _cities()}).encode()


def _percent() -> bytes:
    points = [f"{value / 30:.1f} %" for value in _numbers()]
    commas = [f'"{value / 30:.1f}%"'.replace(".", ",") for value in _numbers()]
    return _lines({"rate": points, "quote": commas, "city": _cities()}).encode()


def _thousands() -> bytes:
    whole = [f'"{value * 1000:,.0f}"' for value in _numbers()]
    spaces = [_grouped(value * 100, group=" ", decimal=".") for value in _numbers()]
    apostrophes = [_grouped(value * 100, group="'", decimal=".") for value in _numbers()]
    return _lines({"sum": whole, "somme": spaces, "summe": apostrophes, "city": _cities()}).encode()


def _cp1252() -> bytes:
    prices = [f"{value:.2f} €".replace(".", ",") for value in _numbers()]
    return _lines({"Preis": prices, "Straße": _cities()}, ";", "\r\n").encode("cp1252")


def _utf16() -> bytes:
    return _lines(_plain(), "\t", "\r\n").encode("utf-16")


def _gz() -> bytes:
    return gzip.compress(_lines(_plain()).encode(), mtime=0)


def _index_column() -> bytes:
    return _lines({"": [str(row) for row in range(ROWS)], **_plain()}).encode()


def _one_odd_cell() -> bytes:
    columns = _plain(ODD_ROWS)
    prices = list(columns["price"])
    prices[ODD_ROW - 1] = "eleven"
    return _lines({**columns, "price": prices}).encode()


def _day_first_dates() -> bytes:
    days = [f"{moment:%d/%m/%Y}" for moment in _moments()]
    return _lines({"day": days, **_plain()}).encode()


def _month_first_dates() -> bytes:
    days = [f"{moment:%m/%d/%Y %H:%M}" for moment in _moments()]
    return _lines({"day": days, **_plain()}).encode()


def _iso_timestamps() -> bytes:
    moments = [moment.isoformat().replace("+00:00", "Z") for moment in _moments()]
    return _lines({"seen": moments, **_plain()}).encode()


def _parquet_timestamps() -> bytes:
    sink = pa.BufferOutputStream()
    columns = {"seen": pa.array(_moments(), pa.timestamp("us", "UTC")), "price": _numbers(), "city": _cities()}
    parquet.write_table(pa.table(columns), sink)
    written: bytes = sink.getvalue().to_pybytes()
    return written


def _truths_in_words() -> bytes:
    truths = (_rng().random(ROWS) < 0.3).tolist()
    return _lines({
        "paid": ["yes" if truth else "no" for truth in truths],
        "active": ["TRUE" if truth else "FALSE" for truth in truths],
        "member": ["Y" if truth else "N" for truth in truths],
        **_plain(),
    }).encode()  # fmt: skip


def _ids() -> bytes:
    numbers = [str(7_000_000 + 3 * row) for row in range(ROWS)]
    keys = [f"{word:032x}" for word in _rng().integers(0, 2**62, ROWS).tolist()]
    return _lines({"order_id": numbers, "counter": numbers, "key": keys, **_plain()}).encode()


def _constant() -> bytes:
    almost = ["EUR" if row else "USD" for row in range(ROWS)]
    return _lines({"version": ["3"] * ROWS, "currency": almost, **_plain()}).encode()


def _null_spellings() -> bytes:
    prices = [_NULLS[row % len(_NULLS)] if row % 20 == 0 else f"{value:.2f}" for row, value in enumerate(_numbers())]
    notes = [("None", "NA", "good")[row % 3] for row in range(ROWS)]
    return _lines({"price": prices, "note": notes, "city": _cities()}).encode()


def _quoted_newlines() -> bytes:
    notes = [('"two\nlines, ""quoted"""', "one", '"a\r\nb"')[row % 3] for row in range(ROWS)]
    return _lines({"note": notes, **_plain()}).encode()


_KINDS: Mapping[str, tuple[str, Callable[[], bytes]]] = {
    "decimal comma": ("train.csv", _decimal_comma),
    "tab": ("train.tsv", _tab),
    "pipe": ("train.csv", _pipe),
    "currency": ("train.csv", _currency),
    "percent": ("train.csv", _percent),
    "thousands": ("train.csv", _thousands),
    "cp1252": ("train.csv", _cp1252),
    "utf-16": ("train.csv", _utf16),
    "gz": ("train.csv.gz", _gz),
    "index column": ("train.csv", _index_column),
    "one odd cell": ("train.csv", _one_odd_cell),
    "day-first dates": ("train.csv", _day_first_dates),
    "month-first dates": ("train.csv", _month_first_dates),
    "iso timestamps": ("train.csv", _iso_timestamps),
    "parquet timestamps": ("train.parquet", _parquet_timestamps),
    "truths in words": ("train.csv", _truths_in_words),
    "ids": ("train.csv", _ids),
    "constant": ("train.csv", _constant),
    "null spellings": ("train.csv", _null_spellings),
    "quoted newlines": ("train.csv", _quoted_newlines),
}


@pytest.fixture
def training_file(tmp_path: Path) -> Callable[[str], Path]:
    """Writes the training file of a kind, one of the names in _KINDS, in a folder of its own; its path."""

    def write(kind: str) -> Path:
        name, content = _KINDS[kind]
        folder = tmp_path / kind.replace(" ", "_")
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_bytes(content())
        return path

    return write


@pytest.fixture
def training_kinds() -> tuple[str, ...]:
    """The names of all kinds of training file."""
    return tuple(_KINDS)
