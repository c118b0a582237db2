"""Names of OpenTelemetry in the words of Prometheus."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.metrics.prometheus_names import FamilyKind, NamedInstrument, family_names, label_names

texts = st.text(st.characters(), max_size=12) | st.sampled_from(["a.b", "a_b", "a", "a.total", "a_created", "a.count"])
kinds = st.sampled_from(["counter", "gauge", "histogram"])
instruments = st.builds(NamedInstrument, texts, kinds, st.sampled_from(["", "s", "By", "{request}", "1", "kg/m"]))
ENDINGS = {
    "counter": ("_total", "_created"), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum", "_created"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind", "unit", "wanted"),
    [
        ("dashlight.requests", "counter", "{request}", "dashlight_requests"),
        ("dashlight.request.io", "counter", "By", "dashlight_request_io_bytes"),
        ("dashlight.request.duration", "histogram", "s", "dashlight_request_duration_seconds"),
        ("dashlight.workers", "gauge", "{worker}", "dashlight_workers"),
        ("dashlight.analysed_rate", "gauge", "", "dashlight_analysed_rate"),
        ("duration_seconds", "gauge", "s", "duration_seconds"),
        ("seen.total", "counter", "", "seen"),
        ("share", "gauge", "1", "share_ratio"),
        ("share", "counter", "1", "share"),
        ("speed", "gauge", "km/h", "speed_km_h"),
        ("7.wonders", "gauge", "", "_7_wonders"),
        ("evil\nname{} 1", "gauge", "", "evil_name_1"),
        ("a..b", "gauge", "", "a_b"),
        ("", "gauge", "", "_"),
    ],
)
def test_a_name_is_made_as_the_rules_say(name: str, kind: FamilyKind, unit: str, wanted: str) -> None:
    instrument = NamedInstrument(name, kind, unit)

    assert family_names([instrument])[instrument].name == wanted


def test_names_that_would_be_one_are_told_apart() -> None:
    dot, line = NamedInstrument("a.b", "gauge", "s"), NamedInstrument("a_b", "gauge", "s")

    found = family_names([line, dot])

    assert found[dot].name == "a_b_seconds"
    assert re.fullmatch(r"a_b_[0-9a-f]{8}_seconds", found[line].name)
    assert found == family_names([dot, line])


def test_a_gauge_does_not_take_the_name_of_a_counters_series() -> None:
    counter, gauge = NamedInstrument("a", "counter", ""), NamedInstrument("a.total", "gauge", "")

    found = family_names([counter, gauge])

    assert found[counter].name == "a"
    assert re.fullmatch(r"a_total_[0-9a-f]{8}", found[gauge].name)


@given(st.lists(instruments, max_size=8))
def test_no_two_instruments_share_a_series(some: list[NamedInstrument]) -> None:
    found = family_names(some)

    series = [named.name + ending for each, named in found.items() for ending in ENDINGS[each.kind]]
    assert len(series) == len(set(series))
    assert all(re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", named.name) for named in found.values())
    assert all(named.name.endswith(named.unit) for named in found.values())


@given(st.lists(texts, max_size=8))
def test_no_two_keys_share_a_label(keys: list[str]) -> None:
    found = label_names(keys, reserved={"le"})

    assert set(found) == set(keys)
    assert len(set(found.values())) == len(found)
    assert "le" not in found.values()
    assert all(re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name) for name in found.values())
    assert not any(name.startswith("__") for name in found.values())


def test_a_key_in_the_place_of_a_bound_gives_way() -> None:
    assert re.fullmatch(r"le_[0-9a-f]{8}", label_names(["le"], reserved={"le"})["le"])
