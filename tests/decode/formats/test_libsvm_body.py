import pytest

from dashlight.decode.formats.libsvm_body import read_libsvm
from dashlight.decode.rows.budget import MAX_CELLS, MAX_COLUMNS, MAX_ROWS
from dashlight.errors import DecodeError


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        pytest.param("1 1:0.5 3:2\n-1 2:1e-3 # why\n\n", [{"1": 0.5, "2": 0, "3": 2}, {"1": 0, "2": 1e-3, "3": 0}],
                     id="labels and a remark"),
        pytest.param("0:1 2:3", [{"0": 1, "1": 0, "2": 3}], id="from nought, without a label"),
        pytest.param("1\n0", [{}, {}], id="nothing but labels"),
        pytest.param("1 7:1 900000:2", [{"7": 1, "900000": 2}], id="far apart"),
    ],
)  # fmt: skip
def test_what_a_row_does_not_say_is_nought(text: str, rows: object) -> None:
    assert read_libsvm(text) == rows


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty_body"),
        ("# nothing", "empty_body"),
        ("1 a:b", "invalid_body"),
        ("1 2", "invalid_body"),
    ],
    ids=["nothing", "a remark", "words", "no pair"],
)
def test_what_is_wrong_is_one_word(text: str, reason: str) -> None:
    with pytest.raises(DecodeError) as error:
        read_libsvm(text)

    assert error.value.reason == reason


def test_an_index_of_thousands_of_digits_is_cut() -> None:
    assert read_libsvm("1 " + "9" * 5000 + ":1") == [{"9999999999": 1.0}]


def test_few_bytes_never_become_many_cells() -> None:
    rows = read_libsvm(f"1 {MAX_COLUMNS}:1\n" * (MAX_ROWS + 20))
    long = read_libsvm(("1 " + " ".join(f"{at}:1" for at in range(MAX_CELLS // 2)) + "\n") * 3)

    assert len(rows) == 2 * MAX_CELLS // MAX_COLUMNS
    assert len({id(row) for row in rows}) == MAX_CELLS // MAX_COLUMNS
    assert len(long) == 3
    assert isinstance(long[0], dict)
    assert len(long[0]) == MAX_COLUMNS + 1
