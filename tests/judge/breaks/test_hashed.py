"""Breaks are found as well where all that is kept of texts are hashes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dashlight.privacy.hashing import HashKey
from dashlight.records import Alert
from dashlight.window.columns import Reference
from dashlight.window.disclosure import protected

Run = Callable[..., list[tuple[int, Alert]]]
KEY = HashKey(b"k" * 32)
BREAKS: dict[str, tuple[str, str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "stuck": ("city/constant", "city is stuck at value #", lambda v: {"city": ["K\u00f6ln"] * len(v["city"])}),
    "unknown": (
        "city/fill",
        "city is unknown in",
        lambda v: {"city": ["unknown" if place % 3 else city for place, city in enumerate(v["city"])]},
    ),
    "lower case": (
        "city/encoding",
        "city is lower-cased in 100 %",
        lambda v: {"city": [city.lower() for city in v["city"]]},
    ),
    "upper case": ("city/encoding", "city is upper-cased", lambda v: {"city": [city.upper() for city in v["city"]]}),
    "padded": ("city/encoding", "city is padded with spaces", lambda v: {"city": [f"{city} " for city in v["city"]]}),
    "quoted": ("city/encoding", "city is wrapped in quotes", lambda v: {"city": [f"b'{city}'" for city in v["city"]]}),
    "mangled": (
        "city/encoding",
        "city is in another character set",
        lambda v: {"city": [city.encode().decode("latin-1") for city in v["city"]]},
    ),
    "as numbers": ("city/encoding", "city arrives as numbers", lambda v: {"city": [len(city) for city in v["city"]]}),
    "another number": (
        "code/encoding",
        "code is written as another number",
        lambda v: {"code": [float(code) for code in v["code"]]},
    ),
    "in quotes": ("size/encoding", "text (numbers in quotes)", lambda v: {"size": [str(size) for size in v["size"]]}),
    "decimal comma": (
        "size/encoding",
        "text (numbers with a decimal comma)",
        lambda v: {"size": [str(size).replace(".", ",") for size in v["size"]]},
    ),
    "words": ("size/encoding", "text (none of it numbers)", lambda v: {"size": ["small"] * len(v["size"])}),
    "swapped": ("city/swap", "city and kind are swapped", lambda v: {"city": v["kind"], "kind": v["city"]}),
    "swapped with a number": (
        "size/swap",
        "size and city are swapped",
        lambda v: {"city": v["size"].tolist(), "size": v["city"]},
    ),
}


def values(seed: int, rows: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "city": rng.choice(["K\u00f6ln", "Malm\u00f6", "Orl\u00e9ans", "Aarhus", "Bergen"], rows).tolist(),
        "code": rng.choice(["07", "11", "03"], rows).tolist(),
        "kind": rng.choice(["Maria Kowalska", "Anna Nowak", "Ewa Lis"], rows).tolist(),
        "size": np.round(rng.normal(50, 9, rows), 1),
    }


@pytest.fixture(scope="module")
def hidden(watch: Any) -> Any:
    watched = watch(values(1, 3000))
    clear = [replace(each, profile=watched.profiles[each.role, each.name]) for each in watched.columns]
    columns = protected(Reference(tuple(clear), "file", ordered=True, version="v", created_at=0.0), KEY).columns
    profiles = {(each.role, each.name): each.profile for each in columns}
    return replace(watched, columns=columns, profiles=profiles)


@pytest.mark.parametrize("what", list(BREAKS))
def test_a_break_is_found_and_tells_no_value(what: str, hidden: Any, run: Run) -> None:
    key, words, breaks = BREAKS[what]
    usual = values(2, 600)

    alerts = [alert for _, alert in run(hidden, usual | breaks(usual)) if alert.state == "firing"]

    told = [alert.summary for alert in alerts]
    assert f"break/m/%2Fe/feature/{key}" in [alert.key for alert in alerts]
    assert any(words in each for each in told)
    assert not [each for each in told for word in ("ln", "Malm", "Maria", "Kowalska", "Anna") if word in each]


def test_usual_rows_are_no_break(hidden: Any, run: Run) -> None:
    assert [alert for _, alert in run(hidden, values(3, 3000)) if alert.state == "firing"] == []
