"""Binomial coefficients."""

from scipy.special import gammaln

from dashlight.judge.slices.gain import Floats


def log_choose(rows: float, held: Floats) -> Floats:
    """Log C(rows, held)."""
    result: Floats = gammaln(rows + 1) - gammaln(held + 1) - gammaln(rows - held + 1)
    return result
