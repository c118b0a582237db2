"""From a score to the chance that it comes true, and how many reference rows stand behind that."""

import numpy as np

from dashlight.judge.performance.estimates.expected import ScoreEvidence, score_evidence
from dashlight.judge.performance.estimates.known import KnownRows
from dashlight.labels.rows import Floats
from dashlight.window.reference.isotonic import isotonic, isotonic_at


class Calibration:
    """What a score means."""

    def __init__(self, fit: tuple[Floats, Floats] | None, evidence: ScoreEvidence) -> None:
        """*fit* as `isotonic` gives it; None where scores are chances already."""
        self._fit, self.evidence = fit, evidence

    def chances(self, scores: Floats) -> Floats:
        """The chance of outcome 1 at each score, 0 to 1; NaN at NaN."""
        return np.clip(scores if self._fit is None else isotonic_at(scores, self._fit), 0.0, 1.0)


def calibration_of(known: KnownRows, weights: Floats | None = None) -> Calibration:
    """The calibration of *known* rows, at least one: theirs where they have one, else it is fitted to them.

    With *weights*, shape (rows,), it is fitted to rows that count by them.
    """
    fit = known.calibration
    if weights is not None or not known.is_calibrated:
        fit = isotonic(known.scores, known.outcomes, weights)
    return Calibration(fit, score_evidence(known.scores, weights, known.rows))
