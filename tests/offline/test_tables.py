"""Tables of columns that nobody sent."""

from typing import Any

import numpy as np

from dashlight.offline.tables import is_matrix, table_of


def test_only_arrays_of_two_dimensions_are_arrays_of_vectors() -> None:
    assert is_matrix(np.zeros((3, 20)))
    assert not is_matrix(np.zeros(3))
    assert not is_matrix([[0.0], [0.0]])


def test_a_table_holds_numbers_vectors_and_all_else() -> None:
    vectors: Any = np.zeros((2, 20))

    table = table_of({"age": np.array([1.0, 2.0]), "city": ["a", "b"], "embedding": vectors}, 2)

    assert (table.rows, table.number_names, table.numbers.tolist()) == (2, ("age",), [[1.0, 2.0]])
    assert table.cell_names == ("city", "embedding")
    assert table.cells[0] == ["a", "b"]
    assert table.cells[1] is vectors
    assert len(table.exchange) == 2


def test_a_table_of_vectors_alone_has_rows() -> None:
    table = table_of({"embedding": np.zeros((2, 20))}, 2)

    assert (table.rows, table.numbers.shape) == (2, (0, 2))
