import numpy as np
import pytest

from dashlight.window.fitting import fitted


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_what_is_no_finite_number_is_refused_in_any_precision(number: float, dtype: type[np.floating]) -> None:
    array = np.array([1.0, number], dtype)

    with pytest.raises(ValueError, match="weights from"):
        fitted("weights", array, like=np.zeros(2, dtype))


def test_an_infinity_is_taken_where_it_is_a_limit() -> None:
    array = np.array([-np.inf, 1.0], np.float32)

    assert fitted("margins", array, like=array, least=-np.inf) is array
