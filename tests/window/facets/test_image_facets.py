from typing import Any

import numpy as np
import pytest

from dashlight.records import Cell
from dashlight.window.facets.image_facets import IMAGE_FACETS, PRESENT, bounded_image, image_facets, is_image
from dashlight.window.values import WRONG

PNG: dict[str, Cell] = {
    "format": "png", "width": 640, "height": 480, "bytes": 9000, "brightness": 0.5, "contrast": 0.2,
}  # fmt: skip


def test_facets_of_an_image_are_its_sizes_and_its_light() -> None:
    numbers, (formats,), left = image_facets([PNG])

    found = dict(zip(IMAGE_FACETS, numbers[:, 0].tolist(), strict=True))
    assert found == {
        "width": 640, "height": 480, "bytes": 9000, "aspect": 640 / 480, "brightness": 0.5, "contrast": 0.2,
    }  # fmt: skip
    assert (formats, left) == (["png"], [PRESENT])


@pytest.mark.parametrize(
    ("cell", "left"),
    [
        (None, None),
        (float("nan"), None),
        ("png", WRONG),
        ({}, WRONG),
        ({"bytes": "9"}, WRONG),
        ([PNG], WRONG),
        (7, WRONG),
    ],
)
def test_what_is_no_image_has_no_facets(cell: Cell, left: object) -> None:
    numbers, (formats,), found = image_facets([cell, PNG])

    assert np.isnan(numbers[:, 0]).all()
    assert not np.isnan(numbers[:, 1]).any()
    assert (formats, found) == ([None, "png"], [left, PRESENT])


@pytest.mark.parametrize(
    "parts",
    [
        {"width": None}, {"width": "640"}, {"width": True}, {"width": float("inf")}, {"width": 10**400},
        {"width": float("nan")}, {"height": 0},
    ],
)  # fmt: skip
def test_a_size_that_is_no_number_leaves_the_aspect_open(parts: dict[str, Any]) -> None:
    numbers, _, left = image_facets([PNG | parts])

    assert np.isnan(numbers[IMAGE_FACETS.index("aspect"), 0])
    assert numbers[IMAGE_FACETS.index("bytes"), 0] == 9000
    assert left == [PRESENT]


@pytest.mark.parametrize("written", [None, "", 7, ["png"]])
def test_a_format_that_is_no_word_is_missing(written: Cell) -> None:
    assert image_facets([PNG | {"format": written}])[1] == ([None],)


def test_a_long_format_is_cut() -> None:
    assert image_facets([PNG | {"format": "x" * 1000}])[1] == (["x" * 32],)


def test_no_images_have_no_facets() -> None:
    assert image_facets([])[0].shape == (len(IMAGE_FACETS), 0)


def test_an_image_says_how_many_bytes_it_has() -> None:
    assert is_image({"bytes": 5})
    assert is_image({"bytes": 5.0})
    assert not is_image({"bytes": float("inf")})
    assert not is_image({"width": 5})


def test_of_an_image_only_what_is_looked_at_is_kept() -> None:
    assert bounded_image(PNG | {"exif": "x" * 10_000, "format": "x" * 1000}) == PNG | {"format": "x" * 32}
    assert bounded_image({"bytes": 5, "width": "wide", "format": 7}) == {"bytes": 5}
