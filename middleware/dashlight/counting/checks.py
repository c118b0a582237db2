"""Whether what another process says it counted can be true: its arrays agree, and no number runs away. Pure."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashlight.counting.endpoint import EndpointPane
from dashlight.counting.exemplars import ExemplarPane
from dashlight.counting.joint import JointPane
from dashlight.counting.machine import Briefing, MachinePane
from dashlight.counting.rows import RowPane
from dashlight.counting.versions.counts import MOST_VERSIONS
from dashlight.judge.directions.bets import SIZES, Direction
from dashlight.judge.directions.learning import MEMORIES
from dashlight.judge.traffic.repetition import MOST_HASHES, check_repetition
from dashlight.metrics.generations import MOST_IN_ALL
from dashlight.metrics.machine_accounts import check_accounts
from dashlight.window.histogram import LATENCY, SIZE
from dashlight.window.layout import BINS
from dashlight.window.outcomes import OutcomeCounts
from dashlight.window.pairs import PairCounts
from dashlight.window.parts.segments import check_segments
from dashlight.window.recent.pane import PANE_ROWS, ROLES, PaneRows, RecentPane, RecentSide
from dashlight.window.recent.values import ABSENT

MOST_COUNT = 2**48
"""Of anything in one pane: sums of thousands of panes stay below 64 bits."""
MOST_SENTENCE = 4096
"""Characters of what a process has to say."""
_ROUNDED = 1 + 1e-6


def check_pane(pane: MachinePane) -> None:
    """Raises ValueError, saying what is wrong, where no process can have counted *pane*."""
    _check_counts(pane.counts.values())
    for status in pane.statuses.values():
        _check_counts([status.in_flight_count, status.waiting_count, status.answered_count, status.number])
        check_accounts(status.accounts)
        _refuse("a process status without numbers", where=not np.isfinite([status.rate, status.ended_at]).all())
    for endpoint in pane.endpoints.values():
        _check_endpoint(endpoint)


def check_briefing(briefing: Briefing) -> None:
    """Raises ValueError, saying what is wrong, where no judge can have written *briefing*."""
    for endpoint in briefing.endpoints.values():
        for slow in endpoint.slow:
            _refuse(f"a latency in bin {slow.bin_}", where=not 0 <= slow.bin_ < LATENCY.bins)
        for model in endpoint.models.values():
            for hashes in model.repeated.values():
                _refuse("more payloads than are told", where=len(hashes) > MOST_HASHES)
                _refuse("a hash of more than 64 bits", where=not all(0 <= each < 2**64 for each in hashes))
            for directions in model.directions.values():
                for direction in directions.values():
                    _check_direction(direction)


def _check_endpoint(pane: EndpointPane) -> None:
    _check_counts([pane.unwatched_rows, pane.unplaced])
    _check_outcomes(pane.outcomes)
    # Beside those with names there are what has none, and all others.
    _refuse("more versions than are counted", where=len(pane.versions) > 2 * MOST_VERSIONS)
    kinds = len(pane.generations)
    _refuse(f"{kinds} kinds of generations: expected {MOST_IN_ALL} at most", where=kinds > MOST_IN_ALL)
    for times in pane.generations.values():
        for histogram in (times.durations, times.first_tokens, times.per_token):
            _check_shape(histogram, (LATENCY.bins,))
            _check_range(histogram, MOST_COUNT)
    for counts in pane.versions.values():
        _check_counts([counts.asked, counts.failed, counts.refused])
        _refuse(
            "more that failed or was refused than was asked", where=max(counts.failed, counts.refused) > counts.asked
        )
        _check_shape(counts.durations, (LATENCY.bins,))
        _check_range(counts.durations, MOST_COUNT)
    for model in pane.models.values():
        _refuse("a sentence that has no end", where=len(model.matched) > MOST_SENTENCE)
        _check_counts([model.left_out_rows])
        for kept in model.rows:
            _check_counts(kept.rows.values())
        for rows in model.compared:
            _check_rows(rows)
        if model.segments is not None:
            check_segments(model.segments, MOST_COUNT)
            columns = {rows.reference: len(rows.counts) for rows in model.compared}.get(model.segments.reference)
            _refuse("segments of a reference with which nothing is compared", where=columns != model.segments.columns)


def _check_outcomes(outcomes: OutcomeCounts) -> None:
    _check_counts([outcomes.rows, outcomes.excluded_rows, outcomes.analysed, outcomes.panes])
    tallies = outcomes.failures, outcomes.refusals, outcomes.undecodable, outcomes.answers
    for counts in (outcomes.outcomes, *tallies):
        _check_counts(counts.values())
    for histogram, scale in (
        (outcomes.durations, LATENCY),
        (outcomes.first_bytes, LATENCY),
        (outcomes.request_sizes, SIZE),
        (outcomes.response_sizes, SIZE),
    ):
        _check_shape(histogram, (scale.bins,))
        _check_range(histogram, MOST_COUNT)


def _check_rows(rows: RowPane) -> None:
    columns = len(rows.counts)
    _check_shape(rows.counts, (columns, BINS))
    _check_range(rows.counts, MOST_COUNT)
    if rows.repeated is not None:
        _check_shape(rows.repeated, (columns, BINS))
        _check_range(rows.repeated, MOST_COUNT)
    if rows.repetition is not None:
        check_repetition(rows.repetition)
    _check_joint(rows.joint)
    if rows.recent is not None:
        _check_recent(rows.recent)
    for exemplars in rows.exemplars:
        _check_exemplars(exemplars, columns)


def _check_joint(joint: JointPane) -> None:
    if joint.pairs is not None:
        _check_pairs(joint.pairs)
    for pane in joint.directions.values():
        _check_counts([pane.direction, pane.rows])
        pane.check(pane.total.size)


def _check_pairs(pairs: PairCounts) -> None:
    _check_counts([pairs.rows])
    paired = pairs.sides.shape[-1]
    _check_shape(pairs.sides, (2, paired))
    for counts in (pairs.agreeing, pairs.informative):
        _check_shape(counts, (paired * (paired - 1) // 2,))
    for counts in (pairs.agreeing, pairs.informative, pairs.sides):
        _check_range(counts, MOST_COUNT)
    # Beyond 2 ** 24 rows each of the two is rounded for itself.
    _refuse("more pairs that agree than pairs", where=(pairs.agreeing > pairs.informative * _ROUNDED).any())


def _check_direction(direction: Direction) -> None:
    memories, bets = (len(MEMORIES),), (len(MEMORIES), len(SIZES))
    _check_counts([direction.number])
    _check_shape(direction.weights, (len(direction.weights), *memories))
    for array in (direction.offsets, direction.means, direction.phi):
        _check_shape(array, memories)
    for array in (direction.borders, direction.stakes):
        _check_shape(array, bets)
    _check_finite(
        *(direction.weights, direction.offsets, direction.means, direction.borders, direction.stakes, direction.phi)
    )
    _refuse("rows that are worth nothing", where=(direction.phi <= 0).any())


def _check_recent(recent: RecentPane) -> None:
    _refuse("rows of one role alone", where=set(recent.sides) != set(ROLES))
    for side in recent.sides.values():
        _check_side(side)
    for unknown in recent.unknown:
        _check_counts([unknown.first_rows, unknown.rows])
        most = recent.sides[unknown.role].rows
        _refuse(f"a column in {unknown.rows} rows of {most}", where=not 0 < unknown.rows <= most)


def _check_side(side: RecentSide) -> None:
    columns = len(side.present)
    _check_shape(side.present, (columns,))
    _check_counts([side.rows])
    _check_kept(side.sample, columns)
    kept = side.sample.rows
    _refuse(f"{kept} rows kept of {side.rows}", where=kept > min(side.rows, PANE_ROWS))
    _check_shape(side.keys, (kept,))
    _check_range(side.keys, 1.0)


def _check_kept(kept: PaneRows, columns: int) -> None:
    rows = len(kept.exchanges)
    _check_shape(kept.exchanges, (rows,))
    _check_range(kept.exchanges, MOST_COUNT)
    for array in (kept.numbers, kept.types, kept.texts):
        _check_shape(array, (columns, rows))
    _check_range(kept.types, ABSENT)


def _check_exemplars(exemplars: ExemplarPane, columns: int) -> None:
    places = exemplars.places
    _check_shape(places, (len(exemplars.trace_ids),))
    _refuse("exemplars of nothing", where=not len(places))
    _refuse("exemplars that are not in their order", where=(places[1:] <= places[:-1]).any())
    _check_range(places, columns * BINS - 1)


def _check_counts(counts: Iterable[int]) -> None:
    for count in counts:
        if not 0 <= count <= MOST_COUNT:
            raise ValueError(f"a count of {count}")


def _check_range(counts: NDArray[Any], most: float) -> None:
    # The smallest of what holds a NaN is one, and no larger than anything.
    if counts.size and not (counts.min() >= 0 and counts.max() <= most):
        raise ValueError(f"a count below zero or above {most}")


def _check_finite(*arrays: NDArray[Any]) -> None:
    _refuse("a sum that is no number", where=not all(np.isfinite(array).all() for array in arrays))


def _check_shape(array: NDArray[Any], shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ValueError(f"an array of shape {array.shape}: expected {shape}")


def _refuse(wrong: str, *, where: bool | np.bool_) -> None:
    if where:
        raise ValueError(wrong)
