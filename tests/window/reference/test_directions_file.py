import base64
import json
import zlib

import numpy as np
import pytest

from dashlight.errors import ReferenceDataError
from dashlight.window.columns import DirectionReference
from dashlight.window.reference.directions import RowsMeter
from dashlight.window.reference.directions_file import MOST_BYTES, direction_content, parsed_direction


@pytest.fixture
def reference() -> DirectionReference:
    meter = RowsMeter(3, rng=np.random.default_rng(5), name="v")
    meter.add(np.random.default_rng(1).standard_normal((700, 3)))
    found = meter.reference()
    assert found is not None
    return found


def packed(raw: bytes) -> str:
    return base64.b64encode(zlib.compress(raw)).decode()


def test_what_was_written_is_read_again(reference: DirectionReference) -> None:
    content = json.loads(json.dumps(direction_content(reference)))

    found = parsed_direction(content)

    assert (found.name, found.width, found.ordered) == ("v", 3, True)
    assert (found.total_rows, found.mean_rows) == (reference.total_rows, reference.mean_rows)
    for name in ("centre", "spread", "covariance", "mean", "rows"):
        before, after = getattr(reference, name), getattr(found, name)
        assert before.dtype == after.dtype
        assert before.shape == after.shape
        assert before.tobytes() == after.tobytes()
    assert [means.tobytes() for means in found.block_means] == [means.tobytes() for means in reference.block_means]


def test_what_was_read_is_written_alike(reference: DirectionReference) -> None:
    content = direction_content(reference)

    assert direction_content(parsed_direction(content)) == content


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"width": 0}, "width"),
        ({"width": "three"}, "width"),
        ({"extra": 1}, "extra"),
        ({"mean_rows": -1}, "mean_rows"),
        ({"centre": "???"}, "unpacked"),
        ({"centre": "é"}, "unpacked"),
        ({"centre": base64.b64encode(b"no zlib").decode()}, "unpacked"),
        ({"centre": packed(bytes(16))}, "length"),
        ({"width": 4}, "length"),
        ({"rows": packed(bytes(7))}, "length"),
        ({"rows": packed(bytes(MOST_BYTES + 6))}, "length"),
        ({"rows": packed(b"")}, "no rows"),
        ({"mean": packed(np.array([1.0, np.nan, 0.0], "<f4").tobytes())}, "not finite"),
        ({"spread": packed(np.array([1.0, 0.0, 1.0], "<f8").tobytes())}, "not positive"),
        ({"block_means": []}, "lengths"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_nonsense_is_refused_in_one_sentence(
    reference: DirectionReference, changed: dict[str, object], said: str
) -> None:
    with pytest.raises(ReferenceDataError, match=said) as caught:
        parsed_direction({**direction_content(reference), **changed})

    assert "\n" not in str(caught.value)


def test_what_is_missing_is_named(reference: DirectionReference) -> None:
    content = direction_content(reference)
    del content["covariance"]

    with pytest.raises(ReferenceDataError, match="covariance"):
        parsed_direction(content)


def test_numbers_whose_squares_are_none_are_drawn_in(reference: DirectionReference) -> None:
    huge = np.full((3, 3), 3e38, "<f4").tobytes()

    found = parsed_direction({**direction_content(reference), "covariance": packed(huge)})

    assert found.covariance.max() == np.float32(1e30)
