"""Long work in steps."""

from __future__ import annotations

import pytest

from dashlight.window.reference.steps import Steps, finished


def counted(most: int) -> Steps[int]:
    for _ in range(most):
        yield
    return most


def broken() -> Steps[int]:
    yield
    raise ArithmeticError


@pytest.mark.parametrize("most", [0, 1, 7])
def test_done_at_once_they_give_what_comes_of_them(most: int) -> None:
    assert finished(counted(most)) == most


def test_what_goes_wrong_in_a_step_is_raised() -> None:
    with pytest.raises(ArithmeticError):
        finished(broken())
