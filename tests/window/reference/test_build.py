from collections.abc import Callable, Iterable

import numpy as np
import pytest

from dashlight.errors import ReferenceDataError
from dashlight.records import Table
from dashlight.window.reference.build import build_reference, build_reference_from_columns, reference_steps
from dashlight.window.reference.chunks import Chunk, parts_of
from dashlight.window.reference.steps import finished
from dashlight.window.tables import selected, table_of_columns, taken

Tables = Callable[..., Table]


def whole() -> Table:
    rng = np.random.default_rng(8)
    return table_of_columns(
        {
            "age": np.where(rng.random(5000) < 0.1, np.nan, rng.normal(40, 10, 5000)),
            "size": rng.integers(1, 6, 5000).astype(float),
            "colour": rng.choice(["red", "green", "blue"], 5000, p=[0.5, 0.3, 0.2]).tolist(),
            "flag": (rng.random(5000) < 0.3).tolist(),
        }
    )


def cut(table: Table, step: int) -> Iterable[Chunk]:
    for start in range(0, table.rows, step):
        yield {"feature": taken(table, np.arange(start, min(start + step, table.rows)))}


@pytest.mark.parametrize("step", [37, 100, 6400])
def test_counts_are_exact_however_the_rows_stream_by(step: int) -> None:
    table = whole()

    made = build_reference(lambda: cut(table, step), rng=np.random.default_rng(0), created_at=0.0)

    age, size, colour, flag = made.columns
    assert (age.kind, size.kind, colour.kind, flag.kind) == ("numeric", "numeric", "categorical", "boolean")
    assert [column.rows for column in made.columns] == [5000] * 4
    assert age.counts[0] == np.isnan(table.numbers[0]).sum()
    inner = np.histogram(table.numbers[0], [age.low, *age.edges, np.nextafter(age.high, np.inf)])[0]
    assert age.counts[4:].tolist() == inner.tolist()
    assert size.counts[4:9].tolist() == [int((table.numbers[1] == value).sum()) for value in range(1, 6)]
    assert colour.counts[4:7].tolist() == [list(table.cells[0]).count(name) for name in ("red", "green", "blue")]
    assert flag.categories == ("false", "true")


def test_value_bins_hold_about_equal_shares() -> None:
    values = np.random.default_rng(9).gamma(2, size=200_000)

    made = build_reference_from_columns({"x": values}, {}, rng=np.random.default_rng(0), created_at=0.0)

    shares = made.columns[0].counts[4:] / 200_000
    assert shares.min() > 0.8 / 32
    assert shares.max() < 1.2 / 32


def test_an_ordered_reference_knows_how_it_varied_and_an_unordered_one_does_not() -> None:
    columns = {"x": np.arange(1000.0)}

    ordered, unordered = (
        build_reference_from_columns(columns, {}, rng=np.random.default_rng(0), created_at=0.0, ordered=ordered)
        for ordered in (True, False)
    )

    assert [part.block_rows for part in ordered.columns[0].variation] == [100, 400, 1600]
    assert (ordered.ordered, unordered.ordered) == (True, False)
    assert unordered.columns[0].variation == ()


def test_features_and_outputs_may_share_a_name_and_differ_in_rows(table: Tables) -> None:
    chunk: Chunk = {"feature": table({"price": [1.0] * 300}), "output": table({"price": [2.0] * 20})}

    made = build_reference(lambda: [chunk], rng=np.random.default_rng(0), created_at=0.0)

    assert [(column.role, column.rows, column.low) for column in made.columns] == [
        ("feature", 300, 1.0),
        ("output", 20, 2.0),
    ]


def test_a_role_may_have_rows_and_no_columns(table: Tables) -> None:
    chunk: Chunk = {"feature": table({"x": [1.0] * 300}), "output": selected(table({"x": [1.0] * 300}), [])}

    made = build_reference(lambda: [chunk], rng=np.random.default_rng(0), created_at=0.0)

    assert [column.role for column in made.columns] == ["feature"]


def test_a_column_that_appears_late_was_null_before(table: Tables) -> None:
    chunks: list[Chunk] = [
        {"feature": table({"a": [1.0] * 150})},
        {"feature": table({"a": [1.0] * 50, "b": [2.0] * 50})},
    ]

    made = build_reference(lambda: chunks, rng=np.random.default_rng(0), created_at=0.0)

    assert made.columns[1].counts[[0, 4]].tolist() == [150, 50]


def test_roles_models_codes_and_moments_are_kept() -> None:
    made = build_reference_from_columns(
        {"code": [7, 8] * 100, "answer": [0.5] * 200},
        {"answer": "output"},
        rng=np.random.default_rng(0),
        created_at=12.5,
        model="flights",
        categorical=["code"],
    )

    assert [(column.name, column.role, column.kind) for column in made.columns] == [
        ("code", "feature", "categorical"),
        ("answer", "output", "numeric"),
    ]
    assert (made.model, made.created_at, made.source, len(made.version)) == ("flights", 12.5, "file", 12)


def test_categories_too_rare_to_be_remembered_count_as_unseen() -> None:
    often = [f"often{row % 10_500}" for row in range(21_000)]
    made = build_reference_from_columns(
        {"id": often}, {}, rng=np.random.default_rng(0), created_at=0.0, categorical=["id"]
    )

    column = made.columns[0]
    assert len(column.categories) + len(column.known) == 10_031
    # Half of the rows choose which categories have bins, the other half is counted: each of them once.
    assert column.rows == 10_500
    assert column.counts[3] == 10_500 - 10_031
    assert column.single_block_rows == column.counts[3]


@pytest.mark.parametrize("rows", [0, 199])
def test_too_few_rows_are_refused(rows: int) -> None:
    with pytest.raises(ReferenceDataError, match=f"too few rows: found {rows}, a reference needs at least 200"):
        build_reference_from_columns({"x": [1.0] * rows}, {}, rng=np.random.default_rng(0), created_at=0.0)


def test_the_same_rows_make_the_same_version_and_others_another() -> None:
    first, again, other = (
        build_reference_from_columns({"x": values}, {}, rng=np.random.default_rng(0), created_at=0.0).version
        for values in ([1.0, 2.0] * 100, [1.0, 2.0] * 100, [1.0, 3.0] * 100)
    )

    assert first == again
    assert first != other


@pytest.mark.parametrize("width", [1, 20, 300])
def test_rows_are_taken_some_at_a_time_so_that_no_step_takes_long(width: int) -> None:
    features = table_of_columns({f"x{place}": np.arange(3000.0) for place in range(width)})
    outputs = table_of_columns({"y": np.arange(3000.0)})

    parts = list(parts_of({"feature": features, "output": outputs}))

    sizes = [part["feature"].numbers.size for part in parts]
    assert max(sizes) <= max(20_000, 500 * width)
    assert sum(part["feature"].rows for part in parts) == sum(part["output"].rows for part in parts) == 3000
    assert all(part["feature"].rows == part["output"].rows for part in parts)


def test_rows_that_do_not_belong_together_one_by_one_stay_in_one_part() -> None:
    features = table_of_columns({f"x{place}": np.arange(3000.0) for place in range(30)})
    rows: Chunk = {"feature": features, "output": table_of_columns({"y": np.arange(10.0)})}

    assert list(parts_of(rows)) == [rows]


def test_a_reference_in_parts_counts_as_one_that_is_made_at_once() -> None:
    rng = np.random.default_rng(5)
    columns = {f"x{place}": rng.gamma(1 + place, 1, 3000) for place in range(30)}
    rows: Chunk = {"feature": table_of_columns(columns), "output": table_of_columns({"y": rng.random(3000)})}

    whole = build_reference(lambda: [rows], rng=np.random.default_rng(0), created_at=0.0)
    steps = reference_steps(lambda: parts_of(rows), rng=np.random.default_rng(0), created_at=0.0)
    parts = finished(steps)

    for one, other in zip(whole.columns, parts.columns, strict=True):
        np.testing.assert_array_equal(one.counts, other.counts)
        np.testing.assert_array_equal(one.edges, other.edges)
    assert whole.pairs is not None
    assert parts.pairs is not None
    np.testing.assert_array_equal(whole.pairs.shares, parts.pairs.shares)


def test_columns_alone_are_those_of_the_whole_reference_but_for_their_profiles() -> None:
    rng = np.random.default_rng(6)
    rows: Chunk = {
        "feature": table_of_columns({"a": rng.random(900), "b": rng.integers(0, 4, 900), "c": ["u", "v", "w"] * 300})
    }

    whole = build_reference(lambda: [rows], rng=np.random.default_rng(0), created_at=0.0)
    alone = finished(reference_steps(lambda: [rows], rng=np.random.default_rng(0), created_at=0.0, columns_alone=True))

    assert (alone.pairs, alone.directions, [column.profile for column in alone.columns]) == (None, (), [None] * 3)
    for one, other in zip(whole.columns, alone.columns, strict=True):
        np.testing.assert_array_equal(one.counts, other.counts)
        assert len(one.variation) == len(other.variation) > 0
        np.testing.assert_array_equal(one.variation[0].events, other.variation[0].events)


def test_rows_are_kept_side_by_side_by_their_bins() -> None:
    rng = np.random.default_rng(4)
    chunk: Chunk = {
        "feature": table_of_columns({"note": ["rain", "sun and wind"] * 200, "x": rng.random(400)}),
        "output": table_of_columns({"y": rng.random(400)}),
    }

    made = build_reference(lambda: [chunk], rng=rng, created_at=0.0, order=["y", "x", "note"], kinds={"note": "text"})

    assert made.sample is not None
    assert made.sample.dtype == np.uint8
    assert made.sample.shape == (len(made.columns), 400)
    assert len(made.columns) > 3  # those that are measured of the text are among them
    for column, codes in zip(made.columns, made.sample, strict=True):
        assert np.bincount(codes, minlength=len(column.counts)).tolist() == column.counts.tolist()
    x = next(place for place, column in enumerate(made.columns) if column.name == "x")
    numbers = chunk["feature"].numbers[0]
    assert made.sample[x].tolist() == (4 + np.searchsorted(made.columns[x].edges, numbers, side="right")).tolist()


@pytest.mark.parametrize("step", [777, 6400])
def test_of_many_rows_some_are_kept_however_they_stream_by(step: int) -> None:
    table = table_of_columns({"x": np.arange(30_000.0)})

    made = build_reference(lambda: cut(table, step), rng=np.random.default_rng(0), created_at=0.0)

    assert made.sample is not None
    assert made.sample.shape == (1, 20_000)
    assert np.bincount(made.sample[0], minlength=36)[4:] == pytest.approx(20_000 / 32, rel=0.2)


def test_outputs_of_another_length_are_null_beside_the_features() -> None:
    chunk: Chunk = {
        "feature": table_of_columns({"x": np.arange(300.0)}),
        "output": table_of_columns({"y": np.arange(900.0)}),
    }

    made = build_reference(lambda: [chunk], rng=np.random.default_rng(0), created_at=0.0)

    assert made.sample is not None
    assert made.sample.shape == (2, 300)
    assert made.sample[1].tolist() == [0] * 300


def test_columns_alone_keep_no_rows() -> None:
    steps = reference_steps(lambda: cut(whole(), 500), rng=np.random.default_rng(0), created_at=0.0, columns_alone=True)

    assert finished(steps).sample is None
