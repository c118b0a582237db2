import base64
from collections.abc import Callable

import msgspec
import numpy as np
import pytest

from dashlight.errors import ReferenceDataError
from dashlight.window.columns import ColumnReference, PairReference
from dashlight.window.layout import BINS
from dashlight.window.reference.pairs_file import pairs_content, parsed_pairs

Make = Callable[..., ColumnReference]


def made() -> PairReference:
    rng = np.random.default_rng(0)
    return PairReference(
        names=("a", "c", "d"),
        places=np.array([0, 2, 3]),
        signs=rng.integers(-1, 2, (3, BINS)).astype(np.int8),
        shares=np.array([0.5, 0.25, 1.0], np.float32),
        trials=np.array([100.0, 0.0, 1e7], np.float32),
        phi=np.array([1.0, 20.5, 3.0], np.float32),
        tau=np.array([0.0, 0.1, 0.0], np.float32),
    )


@pytest.fixture
def columns(column: Make) -> list[ColumnReference]:
    return [column("a"), column("b", "categorical"), column("c"), column("d")]


def test_what_was_written_is_read_again(columns: list[ColumnReference]) -> None:
    content = msgspec.json.decode(msgspec.json.encode(pairs_content(made())))

    read = parsed_pairs(content, columns)

    assert read.names == ("a", "c", "d")
    for part in ("places", "signs", "shares", "trials", "phi", "tau"):
        assert np.array_equal(getattr(read, part), getattr(made(), part))


def floats(*numbers: float) -> str:
    return base64.b64encode(np.array(numbers, "<f4").tobytes()).decode()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"places": [0]}, "length >= 2"),
        ({"places": [0, 0, 2]}, "a column that occurs twice"),
        ({"places": [0, 1, 2]}, "column number 1 is not there or not numeric"),
        ({"places": [0, 2, 9]}, "column number 9 is not there or not numeric"),
        ({"signs": "AAAA"}, "3 bytes of signs instead of 108"),
        ({"signs": base64.b64encode(bytes([2] * 108)).decode()}, "a sign that is not -1, 0 or 1"),
        ({"signs": base64.b64encode(bytes([128] * 108)).decode()}, "a sign that is not -1, 0 or 1"),
        ({"shares": "no base64!"}, "shares that are not base64"),
        ({"shares": "\u00e9"}, "shares that are not base64"),
        ({"shares": floats(0.5, 0.5, 1.5)}, "shares outside 0 to 1"),
        ({"trials": floats(1, 2)}, "8 bytes of trials instead of 12"),
        ({"trials": floats(1, 2, np.inf)}, "trials outside 0 to inf"),
        ({"phi": floats(1, 0.5, 1)}, "phi outside 1 to inf"),
        ({"tau": floats(0, np.nan, 0)}, "tau outside 0 to inf"),
        ({"more": 1}, "unknown field `more`"),
        ({"phi": 3}, "Expected `str`"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_nonsense_is_refused_in_one_sentence(
    change: dict[str, object], complaint: str, columns: list[ColumnReference]
) -> None:
    with pytest.raises(ReferenceDataError, match=complaint) as caught:
        parsed_pairs(pairs_content(made()) | change, columns)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [None, [], "text", {}], ids=["nothing", "a list", "a text", "empty"])
def test_what_is_no_reference_of_pairs_is_refused(content: object, columns: list[ColumnReference]) -> None:
    with pytest.raises(ReferenceDataError, match="says of the pairs what cannot be"):
        parsed_pairs(content, columns)
