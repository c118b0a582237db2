"""Whether a slice hurts more than could be foreseen: the test that also tells where hardly a row hurt before."""

import numpy as np
from scipy.special import betainc, betaincinv

from dashlight.judge.slices.choose import log_choose
from dashlight.judge.slices.gain import Counted, Floats

LENT_ROWS = 4.0
"""Of the rest's usual rate lent to a slice that was never seen; of m rows seen, so many / (1 + m)."""
GROUPS_DIFFER = 1.25
"""Standard deviation of the logarithm of the odds ratio of a slice to the rest, before anything is known: two in three are between
a third and three and a half, nineteen in twenty between a twelfth and twelve."""
_LEFT = np.array([0.9, 0.7, 0.5, 0.35, 0.2, 0.1, 0.05, 0.02, 0.01, 3e-3, 1e-3, 3e-4, 1e-4, 1e-5, 1e-6, 1e-8, 0.0])
"""Each rate is taken in steps, at the end that makes p larger, beyond which it is with these probabilities."""
_STEPS = -np.diff(_LEFT, prepend=1.0)
_DEVIATIONS = np.linspace(-8.0, 8.0, 81)
"""At which the posterior of the odds ratio is taken."""
_MOST = 1 - 1e-9


def beyond_foreseen(part: Counted, whole: Counted) -> float:
    """P that as many rows of the slice *part* hurt by chance, had it risen as the rest of *whole* did, whichever way that is.

    The larger of two predictive tails P(k' >= k), k' ~ Binomial(n, q), over what is not known of q:

    by as much: q = u_S + max(0, r - u_R),  u_S ~ Beta(l + 1 + c u, m - l + c (1-u)), an upper confidence distribution of what is
    usual in the slice (Clopper and Pearson, 1934) with c = LENT_ROWS / (1 + m) rows at the usual rate u of the rest
    by as many times, or by the same odds: odds(q) = t odds(r), or q = r u_S / u_R where that is more. The odds ratio t of the slice to
    the rest has a normal prior of its logarithm, GROUPS_DIFFER wide, and the noncentral hypergeometric likelihood of what
    was usual: of many rows that decides, of none any factor would do, and nothing that usually never hurts could be a slice.

    Rates of the rest, r now and u_R usually, have Jeffreys' posterior.
    """
    return max(_by_as_much(part, whole), _by_as_many_times(part, whole))


def _by_as_much(part: Counted, whole: Counted) -> float:
    held, rows, usual = float(part.usual_hurt), float(part.usual_rows), _usual_rest(whole, part)
    lent = LENT_ROWS / (1 + rows)
    here = betaincinv(held + 1 + lent * usual, rows - held + lent * (1 - usual), 1 - _LEFT)
    usual_rest_rows, usual_rest_hurt = whole.usual_rows - part.usual_rows, whole.usual_hurt - part.usual_hurt
    before = betaincinv(usual_rest_hurt + 0.5, usual_rest_rows - usual_rest_hurt + 0.5, _LEFT)
    rise = np.maximum(_rest(part, whole)[:, np.newaxis] - before, 0.0)
    likely = np.minimum(here[:, np.newaxis, np.newaxis] + rise, 1.0)
    return float(_STEPS @ (_tail(part, likely) @ _STEPS) @ _STEPS)


def _by_as_many_times(part: Counted, whole: Counted) -> float:
    log_ratios, shares = _posterior(part, whole)
    rest, ratios = _rest(part, whole), np.exp(log_ratios)[:, np.newaxis]
    usual_rest = _usual_rest_at(ratios, part, whole)
    usual = _rate(ratios * _odds(usual_rest))
    times = np.minimum(rest * usual / usual_rest, 1 - 0.5 / (float(part.rows) + 1))
    likely = np.maximum(np.maximum(_rate(ratios * _odds(rest)), times), usual)
    return float(shares @ _tail(part, likely) @ _STEPS)


def _posterior(part: Counted, whole: Counted) -> tuple[Floats, Floats]:
    """Logarithms of the odds ratio of what is usual in the slice to the rest, and how likely each is."""
    held, rows = float(part.usual_hurt), float(part.usual_rows)
    rest_held, rest_rows = float(whole.usual_hurt) - held, float(whole.usual_rows) - rows
    cells = np.array([held, rest_held, rows - held, rest_rows - rest_held]) + 0.5
    seen, variance = float(np.log(cells[0] * cells[3] / cells[1] / cells[2])), float((1 / cells).sum())
    kept = GROUPS_DIFFER**2 / (GROUPS_DIFFER**2 + variance)
    ratios = kept * seen + _DEVIATIONS * np.sqrt(kept * variance)
    # Of what may have been seen in the slice, given how many hurt in all: what is too far away weighs nothing at these ratios.
    width = 60 + 16 * np.sqrt(held + 1)
    counts = np.arange(
        max(0.0, held + rest_held - rest_rows, held - width), min(rows, held + rest_held, held + width) + 1
    )
    by_ratio = (
        log_choose(rows, counts) + log_choose(rest_rows, held + rest_held - counts) + ratios[:, np.newaxis] * counts
    )
    highest = by_ratio.max(1)
    total = highest + np.log(np.exp(by_ratio - highest[:, np.newaxis]).sum(1))
    posterior = ratios * held - total - (ratios / GROUPS_DIFFER) ** 2 / 2
    shares = np.exp(posterior - posterior.max())
    return ratios, shares / shares.sum()


def _usual_rest(whole: Counted, part: Counted) -> float:
    rows, hurt = whole.usual_rows - part.usual_rows, whole.usual_hurt - part.usual_hurt
    return float((hurt + 0.5) / (rows + 1))


def _usual_rest_at(ratios: Floats, part: Counted, whole: Counted) -> Floats:
    """What is usual in the rest where the slice's odds are so many times those of it, and as many hurt of both as did."""
    rows, rest, hurt = float(part.usual_rows), float(whole.usual_rows - part.usual_rows), float(whole.usual_hurt) + 0.5
    # rows t o / (1 + t o) + rest o / (1 + o) = hurt, for the odds o; a row more that did not hurt, so that it has an end
    square, middle = ratios * (rows + rest + 1 - hurt), ratios * rows + rest + 1 - hurt * (1 + ratios)
    return _rate((np.sqrt(middle * middle + 4 * square * hurt) - middle) / (2 * square))


def _rest(part: Counted, whole: Counted) -> Floats:
    rows, hurt = whole.rows - part.rows, whole.hurt - part.hurt
    rates: Floats = np.minimum(betaincinv(hurt + 0.5, rows - hurt + 0.5, 1 - _LEFT), _MOST)
    return rates


def _tail(part: Counted, rate: Floats) -> Floats:
    """P(k' >= k) of Binomial(n, rate)."""
    rows, hurt = float(part.rows), float(part.hurt)
    tail: Floats = betainc(hurt, rows - hurt + 1, rate) if hurt > 0 else np.ones_like(rate)
    return tail


def _odds(rate: Floats | float) -> Floats:
    odds: Floats = np.asarray(rate / (1 - rate))
    return odds


def _rate(odds: Floats) -> Floats:
    rate: Floats = odds / (1 + odds)
    return rate
