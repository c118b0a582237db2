"""What is exact for every exchange of an endpoint, whatever share of them is decoded: outcomes, failures, latency, sizes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Outcome
from dashlight.window.histogram import LATENCY, SIZE, Binning, Quantile, quantile
from dashlight.window.names import Names

ANOTHER_FIELD = "another_field"
"""Stands in a kind of refusal for a field whose name a client may have made up."""
KIND_LIMIT = 32
"""Kinds of failure counted under their names; the others as `other`."""
ANSWER_LIMIT = 32
"""Pairs of method and status, counted likewise."""
REASON_LIMIT = 8
"""Reasons why no protocol could read an exchange, counted likewise."""
NOT_FAILURES = frozenset({"client_disconnect", "cancelled"})
"""Kinds that say nothing about the model: counted, and left out of the error rate."""
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
BINNING = Binning(LATENCY, LATENCY, SIZE, SIZE)
HISTOGRAM_ENDS = (LATENCY.bins, 2 * LATENCY.bins, 2 * LATENCY.bins + SIZE.bins)
"""Where, in the row of all four histograms, those of the first bytes, the requests and the responses begin."""


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeCounts:
    """What became of the exchanges of some panes."""

    outcomes: Mapping[Outcome, int]
    """Exchanges by outcome."""
    failures: Mapping[str, int]
    """Exchanges by kind of failure, most frequent first; an exchange may have failed in no way or in one."""
    rows: int
    durations: NDArray[np.int64]
    """Shape (LATENCY.bins,)."""
    first_bytes: NDArray[np.int64]
    request_sizes: NDArray[np.int64]
    """Shape (SIZE.bins,)."""
    response_sizes: NDArray[np.int64]
    panes: int
    first_ended_at: float
    """When the first pane ended; NaN where there is none."""
    last_ended_at: float
    analysed: int = 0
    """Exchanges that were given to the protocols: all, or a share of them."""
    undecodable: Mapping[str, int] = field(default_factory=dict[str, int])
    """Of those analysed, the ones that no protocol could read, by reason, most frequent first."""
    refusals: Mapping[str, int] = field(default_factory=dict[str, int])
    """Exchanges of the outcome `refused` by kind, most frequent first: `http_422 age missing` where the answer named a field.

    Where it named several, each has a kind in which the exchange is counted.
    """
    answers: Mapping[str, int] = field(default_factory=dict[str, int])
    """Exchanges by method, status and outcome, `POST 200 ok`; those beyond ANSWER_LIMIT of these as `_OTHER 0 ok`."""
    excluded_rows: int = 0
    """Of *rows*, those of agents whose rows are left out: probes and the like."""

    @property
    def exchanges(self) -> int:
        """How many there were."""
        return sum(self.outcomes.values())

    @property
    def failed(self) -> int:
        """How many the service is to blame for: failures of every kind outside NOT_FAILURES."""
        return sum(count for kind, count in self.failures.items() if kind not in NOT_FAILURES)

    @property
    def refused(self) -> int:
        """How many were answered that what was sent is not what is taken."""
        return self.outcomes.get("refused", 0)

    @property
    def error_rate(self) -> float:
        """Share of the exchanges that failed, 0 to 1; 0 where there were none."""
        return self.failed / self.exchanges if self.exchanges else 0.0

    @property
    def histograms(self) -> NDArray[np.int64]:
        """All four, one after another, shape (BINNING.bins,)."""
        return np.concatenate([self.durations, self.first_bytes, self.request_sizes, self.response_sizes])

    def latency_quantile(self, share: float) -> Quantile:
        """Seconds to the last message of the body within which *share* (0 to 1) of the exchanges were over."""
        return quantile(self.durations, LATENCY, share)

    def first_byte_quantile(self, share: float) -> Quantile:
        """Seconds to the first byte of the body, of the exchanges that had one."""
        return quantile(self.first_bytes, LATENCY, share)

    def throughput(self, seconds: float) -> float:
        """Exchanges a second, if they came within *seconds*."""
        return self.exchanges / seconds


class OutcomeCounter:
    """Counts the exchanges of one endpoint in one process, a pane at a time."""

    def __init__(self) -> None:
        self._begin()

    def add(
        self,
        outcomes: Sequence[Outcome],
        *,
        duration_seconds: NDArray[np.float64],
        first_byte_seconds: NDArray[np.float64],
        request_bytes: NDArray[np.float64],
        response_bytes: NDArray[np.float64],
    ) -> None:
        """Count a batch of exchanges; *first_byte_seconds* is NaN where there was no body."""
        self._outcomes.update(outcomes)
        quantities = np.array([duration_seconds, first_byte_seconds, request_bytes, response_bytes])
        self._histograms += BINNING.count(quantities)

    @property
    def durations(self) -> NDArray[np.int64]:
        """Exchanges of this pane by the time that they took, shape (LATENCY.bins,)."""
        return self._histograms[: LATENCY.bins]

    def add_failures(self, kinds: Sequence[str]) -> None:
        """Count failed exchanges, each by its kind; beyond KIND_LIMIT kinds as `other`."""
        self._failures += self._kinds.count(kinds)

    def add_refusals(self, kinds: Sequence[str]) -> None:
        """Count refused exchanges, each by its kinds; beyond KIND_LIMIT kinds as `other`."""
        self._refusals += self._refusal_kinds.count(kinds)

    def add_answers(self, answers: Mapping[str, int]) -> None:
        """Count exchanges by method, status and outcome."""
        for answer, count in answers.items():
            has_place = answer in self._answers or len(self._answers) < ANSWER_LIMIT
            self._answers[answer if has_place else f"_OTHER 0 {answer.rsplit(' ', 1)[-1]}"] += count

    def add_analysed(self, count: int, undecodable: Sequence[str]) -> None:
        """Count exchanges that were analysed; *undecodable* has the reason of each that no protocol could read."""
        self._analysed += count
        self._undecodable += self._reasons.count(undecodable)

    def add_rows(self, rows: int) -> None:
        """Count the rows that exchanges held."""
        self._rows += rows

    def add_excluded_rows(self, rows: int) -> None:
        """Count those of them that are left out because of who asked."""
        self._excluded_rows += rows

    @property
    def outcomes(self) -> Mapping[Outcome, int]:
        """Exchanges of the current pane by outcome, those that there are."""
        return self._outcomes

    def close(self, at: float) -> OutcomeCounts:
        """End the current pane at *at*, begin an empty one, and give what the ended one held."""
        durations, first_bytes, requests, responses = np.split(self._histograms, HISTOGRAM_ENDS)
        closed = OutcomeCounts(
            outcomes={outcome: self._outcomes[outcome] for outcome in OUTCOMES},
            failures=self._kinds.named(self._failures),
            rows=self._rows,
            durations=durations,
            first_bytes=first_bytes,
            request_sizes=requests,
            response_sizes=responses,
            panes=1,
            first_ended_at=at,
            last_ended_at=at,
            analysed=self._analysed,
            undecodable=self._reasons.named(self._undecodable),
            refusals=self._refusal_kinds.named(self._refusals),
            answers=dict(self._answers),
            excluded_rows=self._excluded_rows,
        )
        self._begin()
        return closed

    def _begin(self) -> None:
        self._outcomes: Counter[Outcome] = Counter()
        self._histograms = np.zeros(BINNING.bins, np.int64)
        self._kinds, self._reasons = Names(KIND_LIMIT), Names(REASON_LIMIT)
        self._failures = np.zeros(self._kinds.size, np.int64)
        self._undecodable = np.zeros(self._reasons.size, np.int64)
        self._refusal_kinds = Names(KIND_LIMIT)
        self._refusals = np.zeros(self._refusal_kinds.size, np.int64)
        self._answers: Counter[str] = Counter()
        self._rows = self._excluded_rows = self._analysed = 0


def merge_outcomes(parts: Sequence[OutcomeCounts]) -> OutcomeCounts:
    """The sum of *parts*, at least one: of panes that followed each other, or of what several workers counted."""
    outcomes: Counter[Outcome] = Counter()
    failures: Counter[str] = Counter()
    undecodable: Counter[str] = Counter()
    refusals: Counter[str] = Counter()
    answers: Counter[str] = Counter()
    for part in parts:
        outcomes.update(part.outcomes)
        failures.update(part.failures)
        undecodable.update(part.undecodable)
        refusals.update(part.refusals)
        answers.update(part.answers)
    return OutcomeCounts(
        outcomes=dict(outcomes),
        failures=dict(failures.most_common()),
        rows=sum(part.rows for part in parts),
        durations=_sum([part.durations for part in parts]),
        first_bytes=_sum([part.first_bytes for part in parts]),
        request_sizes=_sum([part.request_sizes for part in parts]),
        response_sizes=_sum([part.response_sizes for part in parts]),
        panes=sum(part.panes for part in parts),
        first_ended_at=min(part.first_ended_at for part in parts),
        last_ended_at=max(part.last_ended_at for part in parts),
        analysed=sum(part.analysed for part in parts),
        undecodable=dict(undecodable.most_common()),
        refusals=dict(refusals.most_common()),
        answers=dict(answers),
        excluded_rows=sum(part.excluded_rows for part in parts),
    )


def _sum(histograms: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """The sum of *histograms*; where they are empty one of themselves, so that what is never counted takes no memory."""
    filled = [each for each in histograms if each.any()]
    return np.sum(filled, axis=0) if filled else histograms[0]
