"""The instruments by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.metrics.figures import FigureKind
from dashlight.metrics.instruments import HISTOGRAMS, INSTRUMENTS, LONGEST_TEXT, figure, label
from dashlight.metrics.prometheus_names import FamilyKind, family_names
from dashlight.metrics.prometheus_names import NamedInstrument as Named


def test_a_figure_is_what_its_instrument_says() -> None:
    made = figure("dashlight.requests", 3, {"http.route": "/p", "dashlight.outcome": "ok"})

    assert (made.name, made.kind, made.unit, made.value) == ("dashlight.requests", "counter", "{request}", 3)
    assert made.attributes == {"http.route": "/p", "dashlight.outcome": "ok"}


def test_an_instrument_that_does_not_exist_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        figure("dashlight.nothing", 3)


@pytest.mark.parametrize("name", [*INSTRUMENTS, *HISTOGRAMS])
def test_names_are_those_that_opentelemetry_allows(name: str) -> None:
    assert re.fullmatch(r"dashlight(\.[a-z][a-z_]*)+", name)


def test_a_plain_text_stays_as_it_is() -> None:
    assert label("/predict/{name} größe") == "/predict/{name} größe"


@pytest.mark.parametrize("text", ["a\nb", "\x1b[31m", "\ud800", "x" * (LONGEST_TEXT + 1)])
def test_a_text_that_is_changed_says_so(text: str) -> None:
    made = label(text)

    assert re.search(r"~[0-9a-f]{8}$", made)
    assert made.isprintable()
    assert len(made) <= LONGEST_TEXT


@given(st.text(max_size=300), st.text(max_size=300))
def test_two_texts_never_become_one(first: str, second: str) -> None:
    assert (label(first) == label(second)) == (first == second)


def test_the_documentation_names_every_instrument_as_it_is_exposed() -> None:
    told = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
    rows = re.findall(r"^\| `(dashlight[a-z._]+)` \| `([a-z_]+)` \| ([a-z-]+) \|", told, re.MULTILINE)
    kinds: dict[str, FamilyKind] = {name: _family_kind(each.kind) for name, each in INSTRUMENTS.items()}
    kinds |= dict.fromkeys(HISTOGRAMS, "histogram")
    units = {
        **{name: each.unit for name, each in INSTRUMENTS.items()},
        **{name: unit for name, (unit, _) in HISTOGRAMS.items()},
    }
    named = family_names(Named(name, kind, units[name]) for name, kind in kinds.items())

    assert {name: prometheus for name, prometheus, _ in rows} == {
        each.name: family.name + ("_total" if each.kind == "counter" else "") for each, family in named.items()
    }
    assert {name: kind for name, _, kind in rows} == {
        **{name: each.kind.replace("updowncounter", "up-down") for name, each in INSTRUMENTS.items()},
        **dict.fromkeys(HISTOGRAMS, "histogram"),
    }


def _family_kind(kind: FigureKind) -> FamilyKind:
    return "counter" if kind == "counter" else "gauge"
