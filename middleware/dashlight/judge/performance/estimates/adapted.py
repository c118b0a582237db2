"""When and how scores are calibrated on the reference rows that are like those of a window: where the inputs have moved.

The reference's rows are weighed by the density ratio, so that they are like the window's, and calibrated anew. Where the ratio
says that they are alike already, its error would be all that it adds: then the plain calibration stands.

Source: PAPE, Bialek et al., arXiv 2401.08348. That half fits and half is weighed, the gate and the constants are ours: chosen on
the sets of `benchmarks/estimates_design.py`, on none of those on which figures are reported.
"""

from dashlight.judge.performance.estimates.density_ratio import RatioSettings, effective_share
from dashlight.labels.rows import Floats

RATIO = RatioSettings(ridge=10.0, largest=10.0)
GATE = 0.95
"""Effective share of the reference's rows below which they are weighed."""


def is_worthwhile(weights: Floats) -> bool:
    """Whether the window's rows differ so much from the reference's that weighing them gains more than it costs."""
    return effective_share(weights) < GATE
