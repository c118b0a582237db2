import pytest

from dashlight.decode.rows.budget import (
    BYTES_PER_NODE_LENIENTLY,
    FREE_CELLS,
    FREE_NODES,
    FREE_PIXELS,
    FREE_WORK,
    MAX_KEYS,
    MAX_LEVELS,
    MAX_PIXELS,
    PIXELS_PER_IMAGE,
    BodyBudget,
    TableBudget,
    check_cells,
    check_keys,
    check_nodes,
)
from dashlight.errors import DecodeError


def test_all_parts_of_a_body_expand_to_a_hundred_times_its_size_at_most() -> None:
    budget = BodyBudget(20, most_bytes=10_000)

    budget.take_bytes(1_500)
    budget.take_bytes(500)

    assert budget.bytes_left == 0
    with pytest.raises(DecodeError, match="too_complex"):
        budget.take_bytes(1)
    assert BodyBudget(1_000, most_bytes=10_000).bytes_left == 10_000


def test_images_are_looked_into_until_their_pixels_are_used_up() -> None:
    budget = BodyBudget(100, most_bytes=0)

    assert budget.take_pixels(FREE_PIXELS)
    assert not budget.take_pixels(801)
    assert budget.take_pixels(800)
    assert not budget.take_pixels(1)
    assert not BodyBudget(1 << 20, most_bytes=0).take_pixels(MAX_PIXELS + 1)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[" + b"[]," * 100_000 + b"1]", "too_complex"),
        (b"[" + b"{}," * (FREE_NODES * 4) + b"1]", "too_complex"),
        (b"[" * 100_000, "too_deep"),
        (b'{"":' * 100_000, "too_deep"),
        (b"[1," + b"[" * (MAX_LEVELS + 1) + b"]" * (MAX_LEVELS + 1) + b",{}" * 90_000 + b"]", "too_deep"),
    ],
    ids=["lists", "objects", "levels of lists", "levels of objects", "levels somewhere"],
)
def test_more_lists_and_objects_than_bytes_let_in_are_refused(body: bytes, reason: str) -> None:
    with pytest.raises(DecodeError) as error:
        check_nodes(body)

    assert error.value.reason == reason


def test_short_rows_of_a_large_table_are_let_in() -> None:
    rows = b"[" + b"[1.5,2]," * 40_000 + b"[]]"

    check_nodes(rows)
    check_nodes(b"[" + b"[1]," * FREE_NODES + b"1]", bytes_per_node=BYTES_PER_NODE_LENIENTLY)
    with pytest.raises(DecodeError, match="too_complex"):
        check_nodes(rows, bytes_per_node=BYTES_PER_NODE_LENIENTLY)


def test_a_table_of_nulls_alone_is_refused() -> None:
    check_cells(FREE_CELLS + 64, given=1)

    with pytest.raises(DecodeError, match="too_complex"):
        check_cells(FREE_CELLS + 65, given=1)


def test_a_small_image_costs_as_much_as_one_of_some_hundred_pixels() -> None:
    budget = BodyBudget(0, most_bytes=0)

    looked_into = [budget.take_pixels(1) for _ in range(1 + FREE_PIXELS // PIXELS_PER_IMAGE)]

    assert looked_into == [True] * (FREE_PIXELS // PIXELS_PER_IMAGE) + [False]


def test_an_object_of_more_keys_than_columns_is_refused_where_they_hold_lists() -> None:
    scalars: dict[str, object] = {str(at): at for at in range(MAX_KEYS + 1)}

    check_keys([scalars], nested=0)
    check_keys([{str(at): [] for at in range(MAX_KEYS)}], nested=MAX_KEYS)
    check_keys([[]] * 2, nested=3 * MAX_KEYS)
    with pytest.raises(DecodeError, match="too_complex"):
        check_keys([{str(at): [] for at in range(MAX_KEYS + 1)}], nested=MAX_KEYS + 1)


def test_rows_are_read_until_their_work_is_used_up() -> None:
    budget = TableBudget()

    budget.take(FREE_WORK)
    assert not budget.is_spent
    budget.take(1)
    assert budget.is_spent
    budget.take(-1)
    assert not budget.is_spent
