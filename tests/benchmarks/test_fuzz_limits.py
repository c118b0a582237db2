import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from benchmarks.decoding_parts import Parts, exchange_of
from benchmarks.fuzz_inputs import USUAL, hostile_seeds, parts_of, seeds, swollen
from benchmarks.fuzz_limits import CAP_BYTES, fault_of, median_seconds_per_byte, memory_bytes, quick_fault_of, raised_by
from benchmarks.hostile_bodies import HOSTILE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashlight.records import Exchange

SLOWNESS = 4.0
"""The machine that runs the tests may be busy; the benchmark has no such patience."""
ODD = [
    b"", b"null", b"[]", b"{}", b"NaN", b"-0", b"1e999", b"9" * 400, b'"\\ud800"', b"\xff\xfe", b'"', b"\\", b",", b"}", b"]",
    b"\n", b"\r\n\r\n", b"--cut-here", b"\0" * 9, b"data:", b"[" * 99, b'{"a":' * 99,
]  # fmt: skip
ODD_VALUES: list[object] = [
    None,
    True,
    -1,
    1 << 63,
    1e308,
    "",
    "\0",
    "x" * 300,
    [],
    {},
    [[]],
    [None, "a", 1],
    {"error": "no"},
    {"": {}},
]


@st.composite
def mutated(draw: st.DrawFn) -> Parts:
    """One exchange of a usual kind with a few pieces of one body replaced, and perhaps a part of it repeated."""
    usual = draw(st.sampled_from(USUAL))
    of_answer = draw(st.booleans())
    body = usual.response if of_answer else usual.request
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(body)))
        stop = draw(st.integers(start, min(len(body), start + 12)))
        body = body[:start] + draw(st.sampled_from(ODD) | st.binary(max_size=4)) + body[stop:]
    if draw(st.booleans()):
        body = swollen(body, at=draw(st.floats(0, 1)), size=draw(st.integers(1, 200)))
    return with_body(usual, body, of_answer=of_answer)


@st.composite
def grown(draw: st.DrawFn) -> Parts:
    """One exchange with one value in the JSON of one body replaced, nested, or repeated up to the cap."""
    of_answer = draw(st.booleans())
    usual = draw(st.sampled_from([parts for parts in USUAL if is_json(parts.response if of_answer else parts.request)]))
    held = [json.loads(usual.response if of_answer else usual.request)]
    holder, key, found = draw(st.sampled_from(list(nodes(held))))
    how = draw(st.sampled_from(["replace", "repeat", "keys", "nest", "text"]))
    count = CAP_BYTES // (len(json.dumps(found)) + 10)
    depth = min(count, draw(st.sampled_from([3, 300, 5000])))
    wanted: dict[str, Callable[[], object]] = {
        "replace": lambda: draw(st.sampled_from(ODD_VALUES)),
        "repeat": lambda: [found] * count,
        "keys": lambda: {f"k{at}": found for at in range(count)},
        "nest": lambda: "@",
        "text": lambda: json.dumps(found) * count,
    }
    holder[key] = wanted[how]()
    body = json.dumps(held[0]).encode()
    if how == "nest":
        body = body.replace(b'"@"', b"[" * depth + json.dumps(found).encode() + b"]" * depth)
    return with_body(usual, body, of_answer=of_answer)


def nodes(value: object) -> list[tuple[Any, Any, Any]]:
    """Every holder, key and value within *value*."""
    places = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found: list[tuple[Any, Any, Any]] = []
    for key, inner in places:
        found.append((value, key, inner))
        found += nodes(inner)
    return found


def is_json(body: bytes) -> bool:
    return body[:1] in {b"{", b"["} and body[-1:] in {b"}", b"]"}


def with_body(parts: Parts, body: bytes, *, of_answer: bool) -> Parts:
    body = body[:CAP_BYTES]
    return replace(parts, response=body) if of_answer else replace(parts, request=body)


@pytest.mark.parametrize(
    "parts",
    [
        Parts("/predict", b'{"a": 1}', b"1"),
        Parts("/predict", b'{"a": ' + b"[" * 100_000, b"1"),
        Parts("/predict", b"\0\1", b"\xff", {}, {}),
    ],
    ids=["usual", "deep", "nothing known"],
)
def test_an_exchange_that_keeps_the_promises_is_told_so(parts: Parts) -> None:
    assert fault_of(parts, slowness=SLOWNESS) == quick_fault_of(parts) == ""


def test_what_takes_too_long_is_a_fault() -> None:
    fault = fault_of(swollen_answer(), slowness=1e-9)

    assert re.fullmatch(r"decode_exchange: \d+ ms", fault)


def test_a_mistake_is_told_whether_it_is_raised_or_swallowed() -> None:
    def raises(exchange: Exchange) -> object:
        raise LookupError(exchange.method)

    def swallows(exchange: Exchange) -> object:
        return "unforeseen: KeyError"

    exchange = exchange_of(USUAL[0])
    assert raised_by(raises, exchange) == "Decoder.decode raised LookupError: POST"
    assert raised_by(swallows, exchange) == "Decoder.decode: unforeseen: KeyError"


def test_memory_is_the_most_that_is_held_at_once() -> None:
    assert 100_000 < memory_bytes(exchange_of(swollen_answer())) < 20_000_000


def test_every_seed_stands_for_the_exchange_that_it_was_made_of() -> None:
    found = [parts_of(seed) for seed in seeds()]

    assert found == [parts for parts in USUAL for _ in range(2)]


def test_hostile_bodies_are_seeds_too() -> None:
    found = [parts_of(seed) for seed in hostile_seeds()]

    assert found == [make(2000) for make in HOSTILE.values() for _ in range(2)]


def test_what_takes_long_for_its_bytes_is_a_fault_from_five_milliseconds_on() -> None:
    parts = HOSTILE["CSV: short lines"](CAP_BYTES // 10)

    assert fault_of(parts, slowness=SLOWNESS) == ""
    assert re.fullmatch(r"decode_exchange: [0-9]+ ms", fault_of(parts, slowness=0.1, usual_per_byte=0.0))


def test_the_median_of_usual_bodies_is_some_nanoseconds_a_byte() -> None:
    assert 1e-9 < median_seconds_per_byte(USUAL) < 1e-4


def test_a_seed_may_ask_for_a_body_as_large_as_is_kept() -> None:
    parts = parts_of(bytes((0, 3)) + b'{"a": [' + b"1, " * 40 + b"1]}")

    assert parts.request == USUAL[0].request
    assert 0.99 * CAP_BYTES < len(parts.response) <= CAP_BYTES


@pytest.mark.parametrize("seed", [b"", b"\xff", b"\xff\xff"], ids=["nothing", "a kind", "no body"])
def test_any_bytes_are_a_seed(seed: bytes) -> None:
    assert parts_of(seed).path


def swollen_answer() -> Parts:
    body = b"[" + b'{"label": "a", "score": 0.5},' * 3 + b"{}]"
    return with_body(USUAL[0], swollen(body, at=0.1, size=29), of_answer=True)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_no_mutation_of_any_kind_breaks_a_promise(parts: Parts) -> None:
    assert fault_of(parts, slowness=SLOWNESS) == ""


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(grown())
def test_nothing_that_grows_to_the_cap_breaks_a_promise(parts: Parts) -> None:
    assert fault_of(parts, slowness=SLOWNESS) == ""
