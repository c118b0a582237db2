"""Joins the stages on the analysis thread: decode -> window -> judge -> deliver."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import count

from msgspec.structs import replace

from dashlight.clock import Clock
from dashlight.counting.agents import agents_of
from dashlight.counting.claims import Claim, claim_of
from dashlight.counting.machine import OTHER_ENDPOINTS, MachineCounter, ProcessStatus
from dashlight.counting.policy import Policy
from dashlight.decode.batch import Decoder
from dashlight.decode.refused_field import refused_for
from dashlight.deliver.delivery import Delivery
from dashlight.deliver.encoding.traces import SpanEncoder
from dashlight.metrics.losses import SignalFate
from dashlight.metrics.report import MetricReport
from dashlight.records import Exchange
from dashlight.runtime.alert_publisher import AlertPublisher
from dashlight.runtime.freed_memory import FreedMemory
from dashlight.runtime.loss_log import LossLog
from dashlight.runtime.publisher import Facts, Publisher, Publishing
from dashlight.store.reference_file import ReferenceFile
from dashlight.workers.member import Sharing, Turn

logger = logging.getLogger("dashlight")

_PANES_A_SCORE = 6
"""Scores leave once in so many panes: every minute with panes of ten seconds."""


class Pipeline:
    """All stages behind the inbox, for one process. Used by the analysis thread alone."""

    def __init__(
        self,
        *,
        decoder: Decoder,
        spans: SpanEncoder,
        delivery: Delivery,
        publishing: Publishing,
        counter: MachineCounter,
        sharing: Sharing,
        policy: Policy,
        clock: Clock,
        reference_file: ReferenceFile | None = None,
        report: MetricReport | None = None,
        shows_figures: bool = False,
    ) -> None:
        """*counter* counts for the *sharing* of this process in the watch of its machine, under *policy*.

        *reference_file* is looked at after every pane: one that was replaced is compared with from then on. Figures are
        made after every pane where *report* wants them or something else *shows_figures*.
        """
        self._decoder = decoder
        self._delivery = delivery
        numbers = count(1)
        self._publisher = Publisher(
            spans=spans, delivery=delivery, publishing=publishing, policy=policy, numbers=numbers
        )
        self._alert_publisher = AlertPublisher(delivery, trace_url=publishing.trace_url, numbers=numbers)
        self._counter = counter
        self._sharing = sharing
        self._reference_file = reference_file
        self._report = report
        self._shows_figures = shows_figures
        self._clock = clock
        self._pane_seconds = policy.pane_seconds
        self._agents = agents_of(policy.excluded_agents)
        self._pane_end_at = self._next_end(clock.now())
        self._pane_count = 0
        self._answered_count = 0
        """Exchanges of this pane that were no plumbing."""
        self._rate = 1.0
        self._loss_log = LossLog()
        self._freed_memory = FreedMemory()
        self._counts: Mapping[SignalFate, int] = {}
        """What had been delivered and lost when the last pane ended."""
        self._lost: Mapping[SignalFate, int] = {}
        """What was lost before analysis, as it was told last."""

    def analyse(self, exchanges: Sequence[Exchange]) -> Mapping[int, str]:
        """Decodes these exchanges and counts their rows; returns, by prediction id, the failures found inside."""
        batch = self._decoder.decode(exchanges)
        analysed: defaultdict[str, set[int]] = defaultdict(set)
        for prediction in batch.predictions:
            claim: Claim = "earned" if prediction.has_columns else "provisional"
            self._counter.endpoint(prediction.endpoint, claim).add(prediction, exchanges)
            rows_of: Counter[int] = Counter(prediction.features.exchange.tolist())
            analysed[prediction.endpoint] |= rows_of.keys()
            # One for all exchanges of as many rows, which nearly all are.
            facts = {
                rows: Facts(prediction.model, prediction.version, prediction.protocol, rows)
                for rows in set(rows_of.values())
            }
            for place, rows in rows_of.items():
                self._publisher.know(exchanges[place], facts[rows])
        failures = dict(batch.failures)
        for place, generation in batch.generations.items():
            exchange = exchanges[place]
            self._publisher.know_generation(exchange, generation)
            endpoint = self._counter.endpoint(exchange.route, "provisional")
            endpoint.add_generation(generation, exchange, failures.get(place, ""))
        undecodable: defaultdict[str, list[tuple[Exchange, str]]] = defaultdict(list)
        for place, reason in batch.undecodable:
            exchange = exchanges[place]
            self._publisher.know_undecodable(exchange, reason)
            undecodable[exchange.route].append((exchange, reason))
            analysed[exchange.route].add(place)
        for place, _ in batch.failures:
            analysed[exchanges[place].route].add(place)
        for route, places in analysed.items():
            unread = undecodable[route]
            self._counter.endpoint(route, "provisional").add_analysed(
                len(places),
                undecodable=[reason for _, reason in unread],
                exchanges=[exchange for exchange, _ in unread],
            )
        return {exchanges[place].id: kind for place, kind in failures.items()}

    def count(self, exchanges: Sequence[Exchange], failures: Mapping[int, str]) -> None:
        """Counts every exchange exactly: outcome, latency, traffic; makes the spans and events of some."""
        if failures:
            # From here on for all alike: what is counted, the span and the event.
            exchanges = [replace(each, outcome="error") if each.id in failures else each for each in exchanges]
        by_endpoint: dict[str, list[Exchange]] = {}
        claims: dict[str, Claim] = {}
        for exchange in exchanges:
            claim = claim_of(exchange, self._agents)
            route = OTHER_ENDPOINTS if claim is None else exchange.route
            by_endpoint.setdefault(route, []).append(exchange)
            self._answered_count += claim is not None
            if claim == "provisional":
                claims[route] = claim
        refusals = {each.id: refused_for(each) for each in exchanges if each.outcome == "refused"}
        for route, members in by_endpoint.items():
            self._counter.endpoint(route, claims.get(route, "none")).count(members, failures, refusals)
        self._publisher.send_exchanges(exchanges, failures, rate=self._rate)

    def count_excluded(self, exchanges: Sequence[Exchange]) -> None:
        """Counts exchanges of excluded URLs, where nobody judges: no claim, no span, no event comes of them."""
        self._counter.endpoint(OTHER_ENDPOINTS, "none").count(exchanges, {})

    def tick(
        self,
        at: float,
        *,
        lost: Mapping[SignalFate, int],
        in_flight_count: int,
        rate: float,
        waiting_count: int = 0,
    ) -> float:
        """Closes the pane if it is due, and judges where it is this process's turn; returns the seconds until next time.

        *lost* is what was lost before analysis, and in it, since the start; *waiting_count* are the requests in flight
        whose answer has not begun.
        """
        self._rate, self._lost = rate, lost
        # A tick ends a round: what was decoded in it has been told.
        self._publisher.forget()
        if not 0 < self._pane_end_at - at <= self._pane_seconds:
            # Panes of all processes end at the same moments. One that ends late is a long pane; a clock that was set
            # back must not make one that never ends.
            self._pane_end_at = self._next_end(at)
            self._close_pane(at, ProcessStatus(in_flight_count, rate, 0.0, waiting_count, self._answered_count))
            self._answered_count = 0
        turn = self._sharing.turn(at)
        if turn is not None:
            self._tell(turn, at)
            if self._report is not None:
                self._report.tell()
        briefing = self._sharing.briefing()
        if briefing is not None:
            self._counter.follow(briefing)
        return min(self._pane_end_at - at, self._sharing.wait_seconds)

    def _next_end(self, at: float) -> float:
        return (at // self._pane_seconds + 1) * self._pane_seconds

    def _close_pane(self, at: float, status: ProcessStatus) -> None:
        self._pane_count += 1
        since = self._counts_since_last_pane()
        if self._pane_count % _PANES_A_SCORE == 0:
            self._loss_log.tell(self._counts)
            self._freed_memory.give_back()
        # Before the pane is handed on: whoever takes over with it has to know what is compared with by now.
        self._look_at_reference_file(at)
        self._sharing.post(self._counter.close(at, status, since), at)

    def _counts_since_last_pane(self) -> Mapping[SignalFate, int]:
        """What was delivered and lost since it was last asked."""
        counts = {**self._lost, **self._delivery.fates(), **self._sharing.troubles}
        before, self._counts = self._counts, counts
        return {key: count - before.get(key, 0) for key, count in counts.items()}

    def _tell(self, turn: Turn, at: float) -> None:
        """Sends what came of a pane of the machine, and every so often its scores."""
        watch = turn.watch
        self._alert_publisher.publish(turn.alerts)
        if not turn.has_pane:
            return
        if self._shows_figures or (self._report is not None and self._report.is_wanted()):
            gauges = {
                "workers": len(watch.processes),
                "in_flight": watch.in_flight_count,
                "analysed_rate": watch.rate,
            }
            shown = watch.totals.figures(at=at, snapshots=watch.snapshots(), alerts=watch.in_force, gauges=gauges)
            self._sharing.show(shown)
        if watch.pane_count % _PANES_A_SCORE == 0:
            for endpoint, snapshot in watch.snapshots():
                self._alert_publisher.send_scores([snapshot], endpoint=endpoint, at=at)

    def _look_at_reference_file(self, at: float) -> None:
        """Every process looks, whether it judges or not: the one that does may be another with the next pane."""
        if self._reference_file is None:
            return
        self._reference_file.replaced()
        found, known = self._reference_file.reference, self._sharing.reference
        if found is None or (known is not None and found.version == known.version):
            return
        logger.info("the reference file was replaced: version %s, %d rows", found.version, found.rows)
        self._alert_publisher.publish(self._sharing.replace_reference(found, at))

    def flush(self, timeout_seconds: float) -> int:
        """Sends what is waiting; returns how many are still waiting then."""
        return self._delivery.flush(timeout_seconds)

    def leave(self) -> None:
        """Leaves what was counted to the machine's other processes; whatever comes later comes back to them."""
        now = self._clock.now()
        try:
            turn = self._sharing.turn(now, at_once=True) if self._sharing.is_judging else None
            if turn is not None:
                self._tell(turn, now)
        finally:
            if self._report is not None:
                self._report.finish()
            if self._sharing.is_in:
                status = ProcessStatus(0, self._rate)
                self._sharing.leave(self._counter.close(now, status, self._counts_since_last_pane()))

    def close(self, timeout_seconds: float) -> None:
        """Sends what it can and stops."""
        self._delivery.close(timeout_seconds)

    def forget(self) -> None:
        """Lets go of what belongs to the parent process: what a forked child does at once."""
        self._sharing.forget()
