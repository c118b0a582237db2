"""Images, rankings, forecasts and vectors against a reference, as decoded bodies and as columns in memory."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dashlight.counting.policy import Policy
from dashlight.decode.batch import Decoder
from dashlight.records import Alert, Cell, Exchange, Kind, Prediction
from dashlight.watching.rows import Comparison
from dashlight.window.columns import Reference
from dashlight.window.facets.facets import faceted
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.file import dump, load
from dashlight.window.reference.learning import Learning
from dashlight.window.reference.steps import finished
from dashlight.window.tables import table_of_columns

Cells = list[Cell]
Make = Callable[..., Cells]
NOTHING = table_of_columns({})
FILMS = [f"film {place}" for place in range(300)]
SHARES = 1 / np.arange(1, 301)
PANES = 15
ROWS = 100


def images(rng: np.random.Generator, rows: int, *, width: int = 640) -> Cells:
    return [
        {
            "format": "jpeg" if rng.random() < 0.8 else "png",
            "width": width,
            "height": 480,
            "bytes": int(rng.integers(20_000, 90_000)),
            "brightness": float(rng.normal(0.5, 0.1)),
            "contrast": 0.2,
        }
        for _ in range(rows)
    ]


def rankings(
    rng: np.random.Generator,
    rows: int,
    *,
    length: int = 10,
    first: str = "",
    new: float = 0.0,
    films: Cells | None = None,
) -> Cells:
    """Lists of films, popular ones more often; *first* in half of the first places, and *new* films so often."""
    found: Cells = []
    for _ in range(rows):
        places = rng.choice(len(FILMS), length, replace=False, p=SHARES / SHARES.sum())
        listed = [(films or FILMS)[place] for place in places.tolist()]
        listed = [f"new {rng.integers(1000)}" if rng.random() < new else film for film in listed]
        found.append([first, *listed[1:]] if first and rng.random() < 0.5 else listed)
    return found


def forecasts(rng: np.random.Generator, rows: int, *, slope: float = 0.5, steps: int = 24) -> Cells:
    line = slope * (np.arange(steps) - (steps - 1) / 2)
    return [(100.0 + line + rng.normal(0, 2) + rng.normal(0, 1, steps)).tolist() for _ in range(rows)]


def dated(rng: np.random.Generator, rows: int, *, lost: float = 0.0) -> Cells:
    """Forecasts of 24 hours as they are written; an hour within is *lost* so often."""
    hours = [f"2026-03-01T{hour:02d}:00:00Z" for hour in range(24)]
    return [
        [
            {"ds": hour, "yhat": float(rng.normal(5, 1))}
            for hour in hours
            if hour in {hours[0], hours[-1]} or rng.random() >= lost
        ]
        for _ in range(rows)
    ]


def prediction(outputs: Mapping[str, Cells]) -> Prediction:
    return Prediction("/predict", "shop", "1", "plain", NOTHING, table_of_columns(outputs))


def reference_with(cells: Cells, name: str) -> Reference:
    made = build_reference_from_columns({name: cells}, {name: "output"}, rng=np.random.default_rng(0), created_at=0.0)
    return load(dump(made))


def watched(reference: Reference, panes: Iterable[Mapping[str, Cells]]) -> list[tuple[int, Alert]]:
    """Number of the pane and alert of all that fires."""
    comparison = Comparison(reference, Policy(), endpoint="/predict", model="shop", version="1")
    found: list[tuple[int, Alert]] = []
    counter = comparison.counter()
    for pane, outputs in enumerate(panes):
        counter.add(prediction(outputs), np.zeros(len(next(iter(outputs.values()))), "V16"))
        alerts = comparison.close_pane(counter.close(), 10.0 * (pane + 1))
        counter.follow(comparison.directions)
        found += [(pane, alert) for alert in alerts if alert.state in {"pending", "firing"}]
    assert comparison.unknown_columns == ()
    return found


@pytest.mark.parametrize(
    ("name", "make", "kind"),
    [
        pytest.param("photo", images, "image", id="images"),
        pytest.param("data", rankings, "ranking", id="rankings"),
        pytest.param("forecast", forecasts, "forecast", id="forecasts"),
        pytest.param("hours", dated, "forecast", id="forecasts with times"),
    ],
)
def test_what_does_not_change_is_quiet(name: str, make: Make, kind: Kind) -> None:
    rng = np.random.default_rng(101)
    reference = reference_with(make(rng, 2000), name)
    panes = ({name: make(rng, ROWS)} for _ in range(2 * PANES))

    assert faceted(reference.columns)[0] == {name: kind}
    assert watched(reference, panes) == []


@pytest.mark.parametrize(
    ("make", "changed", "facet"),
    [
        pytest.param(images, {"width": 320}, "width", id="images of another size"),
        pytest.param(rankings, {"first": "film 250"}, "first", id="another first item"),
        pytest.param(rankings, {"length": 7}, "length", id="shorter lists"),
        pytest.param(rankings, {"new": 0.1}, "unseen_share", id="items never seen"),
        pytest.param(forecasts, {"slope": 0.0}, "slope", id="a slope that is lost"),
        pytest.param(forecasts, {"steps": 12}, "length", id="a shorter horizon"),
        pytest.param(dated, {"lost": 0.1}, "gap_share", id="gaps"),
    ],
)
def test_what_changes_fires_and_its_facet_is_named(make: Make, changed: dict[str, object], facet: str) -> None:
    rng = np.random.default_rng(102)
    reference = reference_with(make(rng, 2000), "series")
    panes = ({"series": make(rng, ROWS, **(changed if pane >= PANES else {}))} for pane in range(2 * PANES))

    fired = watched(reference, panes)

    assert min(pane for pane, _ in fired) >= PANES
    assert {alert.column for _, alert in fired} - {None} == {"series"}  # None: pairs of its facets
    assert any(f"series · {facet}" in alert.summary for pane, alert in fired if pane < PANES + 10)


def test_rows_of_the_reference_do_not_make_their_own_items_known() -> None:
    rng = np.random.default_rng(103)
    catalogue: Cells = [f"film {place}" for place in range(6000)]

    def lists(rows: int) -> Cells:
        return [[catalogue[place] for place in rng.integers(0, 6000, 10).tolist()] for _ in range(rows)]

    reference = reference_with(lists(1000), "data")
    (unseen,) = [column for column in reference.columns if column.name == "data · unseen_share"]

    # An item occurs in 1,000 lists of ten so often: a tenth to a fifth of the items are new to each.
    assert unseen.high >= 0.5
    assert watched(reference, ({"data": lists(ROWS)} for _ in range(2 * PANES))) == []


def test_ids_that_are_numbers_are_items_under_the_name_of_a_ranking() -> None:
    rng = np.random.default_rng(104)
    ids: Cells = list(range(300))
    reference = reference_with(rankings(rng, 1000, films=ids), "recommended")

    assert faceted(reference.columns)[0] == {"recommended": "ranking"}
    assert watched(reference, ({"recommended": rankings(rng, ROWS, films=ids)} for _ in range(PANES))) == []


def unit_vector(rng: np.random.Generator, width: int, shift: float) -> NDArray[np.float64]:
    vector = rng.normal(size=width)
    vector[: width // 4] += shift
    length: float = np.linalg.norm(vector).item()
    return vector / length


def exchange(asked: object, answered: object, path: str = "/predict") -> Exchange:
    bodies = [json.dumps(body).encode() for body in (asked, answered)]
    return Exchange(
        id=7,
        route=path,
        method="POST",
        path=path,
        query=b"",
        scheme="http",
        server=("127.0.0.1", 80),
        http_version="1.1",
        request_headers=[(b"content-type", b"application/json")],
        response_headers=[(b"content-type", b"application/json")],
        status=200,
        error="",
        outcome="ok",
        started_at=1_700_000_000.0,
        first_byte_seconds=0.01,
        duration_seconds=0.02,
        request_bytes=len(bodies[0]),
        response_bytes=len(bodies[1]),
        request_chunks=(bodies[0],),
        response_chunks=(bodies[1],),
        trace_id=0,
        span_id=0,
        trace_flags=0,
        own_span=None,
    )


def openai(rng: np.random.Generator, shift: float, *, packed: bool) -> Exchange:
    vector = unit_vector(rng, 384, shift)
    written = base64.b64encode(vector.astype("<f4").tobytes()).decode() if packed else vector.tolist()
    data = [{"object": "embedding", "index": 0, "embedding": written}]
    return exchange({"model": "e", "input": "text"}, {"object": "list", "data": data, "model": "e"}, "/v1/embeddings")


def plain(rng: np.random.Generator, shift: float, *, width: int) -> Exchange:
    return exchange({"text": "some"}, {"embedding": unit_vector(rng, width, shift).tolist()})


def pixels(rng: np.random.Generator, shift: float) -> Exchange:
    grey = np.clip(rng.normal(100 + 20 * shift, 40, 1024), 0, 255).astype(int)
    return exchange({"pixels": grey.tolist()}, {"digit": 4})


@pytest.mark.parametrize(
    ("make", "column", "width"),
    [
        pytest.param(lambda rng, shift: openai(rng, shift, packed=True), "embedding", 384, id="OpenAI's in base64"),
        pytest.param(lambda rng, shift: openai(rng, shift, packed=False), "embedding", 384, id="OpenAI's as numbers"),
        pytest.param(lambda rng, shift: plain(rng, shift, width=384), "embedding", 384, id="plain"),
        pytest.param(lambda rng, shift: plain(rng, shift, width=64), "embedding", 64, id="plain and short"),
        pytest.param(pixels, "pixels", 1024, id="pixels"),
    ],
)
def test_vectors_in_bodies_are_learned_and_judged_as_one_column(
    make: Callable[[np.random.Generator, float], Exchange], column: str, width: int
) -> None:
    rng = np.random.default_rng(105)
    decoder, learning = Decoder(model="m", version="1"), Learning(600)

    def predictions(rows: int, shift: float) -> Iterable[Prediction]:
        return decoder.decode([make(rng, shift) for _ in range(rows)]).predictions

    while not learning.is_full:
        for each in predictions(60, 0.0):
            learning.add(each)
    reference = load(dump(finished(learning.reference(rng=rng, created_at=0.0))))
    comparison = Comparison(reference, Policy())
    counter = comparison.counter()
    fired: dict[int, set[str | None]] = {}
    for pane in range(18):
        for each in predictions(50, 0.0 if pane < 10 else 0.6):
            counter.add(each, np.zeros(50, "V16"))
        alerts = comparison.close_pane(counter.close(), 10.0 * (pane + 1))
        counter.follow(comparison.directions)
        fired[pane] = {alert.column for alert in alerts if alert.state != "inactive"}

    (vector,) = [each for each in reference.columns if each.name == column]
    assert (vector.kind, vector.categories) == ("vector", (str(width),))
    assert [each.name for each in reference.directions] == [column]
    assert comparison.unknown_columns == ()
    assert set().union(*[fired[pane] for pane in range(10)]) == set()
    assert set().union(*[fired[pane] for pane in range(10, 18)]) == {column}


BAD: list[Cell] = [
    None, float("nan"), [], [[]], [None], [float("nan")], [float("inf")], [10**400], [1, "a", None], [True],
    [[1, 2], [3]], [{"a": 1}], [{"id": [1]}], [{"id": None}], [["a", 0.5], ["b"]], {}, {"bytes": "many"}, {"bytes": 10**400},
    {"bytes": 5, "width": float("nan"), "height": 0}, {"bytes": 5, "format": 7}, "\ud800", ["\ud800"], b"bytes", 10**400,
    ["2026-13-45", "2026-01-01"], [["2026-01-01", 1], ["today", 2]], [{"ds": 10**400, "yhat": 1}], np.zeros((2, 2)), np.array(["a", "b"]), np.array(5.0), object(),
]  # fmt: skip
HUGE: list[Cell] = [[10**5000], 10**5000, ["x" * 5000] * 3, [0.5] * 5000, ["a"] * 5000, [[1.0, 2.0]] * 5000]
ANY: st.SearchStrategy[Cell] = st.recursive(
    st.integers(0, len(BAD) - 1).map(lambda at: BAD[at]) | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["bytes", "id", "ds", "y", ""]), inner),
    max_leaves=5,
)


@lru_cache
def reference_of(name: str) -> Reference:
    makes: dict[str, Make] = {"image": images, "ranking": rankings, "forecast": forecasts, "times": dated}
    return reference_with(makes[name](np.random.default_rng(106), 300), name)


@pytest.mark.parametrize("name", ["image", "ranking", "forecast", "times"])
@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=40)
@given(cells=st.lists(ANY, min_size=1, max_size=6))
def test_bad_cells_never_raise_and_every_row_is_counted(name: str, cells: Cells) -> None:
    assert rows_counted(reference_of(name), name, cells) == (len(cells), len(cells))


@pytest.mark.parametrize("name", ["image", "ranking", "forecast", "times"])
def test_huge_cells_never_raise_and_every_row_is_counted(name: str) -> None:
    assert rows_counted(reference_of(name), name, HUGE) == (len(HUGE), len(HUGE))


def rows_counted(reference: Reference, name: str, cells: Cells) -> tuple[int, int]:
    """Rows of a pane that is judged, and rows that are learned from, where these are *cells*."""
    comparison = Comparison(reference, Policy())
    learning = Learning(1)
    table = prediction({name: cells})

    counter = comparison.counter()
    counter.add(table, np.zeros(len(cells), "V16"))
    comparison.close_pane(counter.close(), 10.0)
    learning.add(table)

    learned = finished(learning.reference(rng=np.random.default_rng(0), created_at=0.0))
    (rows,) = [each.rows for each in comparison.scores(1) if (each.column, each.statistic) == (name, "missing_rate")]
    return rows, learned.rows


def test_cells_that_are_none_of_their_kind_are_missing_or_of_a_wrong_type() -> None:
    found: dict[str, tuple[float, ...]] = {}
    for name in ("image", "ranking", "forecast", "times"):
        comparison = Comparison(reference_of(name), Policy())
        counter = comparison.counter()
        counter.add(prediction({name: [None, "text", [[]], [[1, 2], [3]], 5]}), np.zeros(5, "V16"))
        comparison.close_pane(counter.close(), 10.0)
        rates = {score.statistic: score.value for score in comparison.scores(1) if score.column == name}
        found[name] = (rates["missing_rate"], rates["type_error_rate"])

    assert found == dict.fromkeys(["image", "ranking", "forecast", "times"], (0.2, 0.8))
