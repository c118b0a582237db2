"""Joins the stages on the analysis thread: decode -> window -> judge -> deliver."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import count

import numpy as np
from msgspec.structs import replace

from dashlight.capture.inbox import Captured
from dashlight.clock import Clock
from dashlight.counting.agents import agents_of
from dashlight.counting.claims import Claim, claim_of
from dashlight.counting.machine import OTHER_ENDPOINTS, MachineCounter, ProcessStatus
from dashlight.counting.policy import Policy
from dashlight.counting.remains import Uncounted
from dashlight.decode.batch import Decoder
from dashlight.decode.refused_field import refused_for
from dashlight.deliver.delivery import Delivery
from dashlight.deliver.encoding.traces import SpanEncoder
from dashlight.metrics.accounts import Account
from dashlight.metrics.losses import SignalFate
from dashlight.metrics.report import MetricReport
from dashlight.records import Exchange
from dashlight.runtime.accounting import Accounting
from dashlight.runtime.alert_publisher import AlertPublisher
from dashlight.runtime.delivery_report import DeliveryReport
from dashlight.runtime.end_line import EndLine
from dashlight.runtime.facts import Facts
from dashlight.runtime.loss_log import LossLog
from dashlight.runtime.pane_losses import PaneLosses
from dashlight.runtime.publisher import Publisher, Publishing
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
        captured: Callable[[], Captured] | None = None,
    ) -> None:
        """*counter* counts for the *sharing* of this process in the watch of its machine, under *policy*.

        *captured* says what the request path has seen; None: what is counted here, and nothing was lost on the way.

        *reference_file* is looked at after every pane: one that was replaced is compared with from then on. Figures are
        made after every pane where *report* wants them or something else *shows_figures*.
        """
        self._decoder = decoder
        self._delivery = delivery
        numbers = count(1)
        self._publisher = Publisher(
            spans=spans, delivery=delivery, publishing=publishing, policy=policy, numbers=numbers
        )
        self._delivery_report = DeliveryReport(delivery, numbers=numbers, at=clock.now())
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
        self._loss_log, self._end_line = LossLog(), EndLine()
        self._pane_losses = PaneLosses()
        self._lost: Mapping[SignalFate, int] = {}
        """What was lost before analysis, as it was told last."""
        self._handed_count = self._handed_span_count = 0
        """Exchanges that were to be counted here, and those of them with a span of ours."""
        self._accounting = Accounting(delivery, publishing.sampler, captured or self._handed, journal=sharing.journal)

    def analyse(self, exchanges: Sequence[Exchange]) -> Mapping[int, str]:
        """Decodes these exchanges and counts their rows; returns, by prediction id, the failures found inside."""
        batch = self._decoder.decode(exchanges)
        known = self._publisher.known
        marks = np.zeros(len(exchanges), np.uint8)
        analysed: defaultdict[str, set[int]] = defaultdict(set)
        for prediction in batch.predictions:
            claim: Claim = "earned" if prediction.has_columns else "provisional"
            self._counter.endpoint(prediction.endpoint, claim).add(prediction, exchanges, marks)
            rows_of: Counter[int] = Counter(prediction.features.exchange.tolist())
            analysed[prediction.endpoint] |= rows_of.keys()
            # One for all exchanges of as many rows, which nearly all are.
            facts = {
                rows: Facts(prediction.model, prediction.version, prediction.protocol, rows)
                for rows in set(rows_of.values())
            }
            for place, rows in rows_of.items():
                known.of[exchanges[place].id] = facts[rows]
        failures = dict(batch.failures)
        for place, generation in batch.generations.items():
            exchange = exchanges[place]
            known.add_generation(exchange, generation)
            endpoint = self._counter.endpoint(exchange.route, "provisional")
            endpoint.add_generation(generation, exchange, failures.get(place, ""))
        undecodable: defaultdict[str, list[tuple[Exchange, str]]] = defaultdict(list)
        for place, reason in batch.undecodable:
            exchange = exchanges[place]
            known.undecodable[exchange.id] = reason
            undecodable[exchange.route].append((exchange, reason))
            analysed[exchange.route].add(place)
        for place in np.flatnonzero(marks).tolist():
            known.anomalies[exchanges[place].id] = int(marks[place])
        self._publisher.keep_readings(exchanges, batch)
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
        self._handed_count += len(exchanges)
        self._handed_span_count += sum(each.own_span is not None for each in exchanges)
        if failures:
            # From here on for all alike: what is counted, the span and the event.
            exchanges = [replace(each, outcome="error") if each.id in failures else each for each in exchanges]
        slow: set[int] = set()
        try:
            self._count(exchanges, failures, slow)
        finally:  # a mistake of ours in the counts costs no span and no event
            self._publisher.send_exchanges(exchanges, failures, slow, rate=self._rate)

    def _count(self, exchanges: Sequence[Exchange], failures: Mapping[int, str], slow: set[int]) -> None:
        """Counts; adds the ids of those that were slow for their endpoint to *slow*."""
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
            places = self._counter.endpoint(route, claims.get(route, "none")).count(members, failures, refusals)
            slow.update(members[place].id for place in places)

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
        self._publisher.known.forget()
        if not 0 < self._pane_end_at - at <= self._pane_seconds:
            # Panes of all processes end at the same moments. One that ends late is a long pane; a clock that was set
            # back must not make one that never ends.
            self._pane_end_at = self._next_end(at)
            self._close_pane(
                at,
                ProcessStatus(in_flight_count, rate, 0.0, waiting_count, self._answered_count, self.accounts()),
            )
            self._answered_count = 0
        turn = self._sharing.turn(at)
        if turn is not None:
            self._tell(turn, at)
            if self._report is not None:
                self._report.tell()
        self._accounting.keep(Uncounted(self._counter.requests(), self._pane_losses.since(self._losses())))
        briefing = self._sharing.briefing()
        if briefing is not None:
            self._counter.follow(briefing)
        return min(self._pane_end_at - at, self._sharing.wait_seconds)

    def _next_end(self, at: float) -> float:
        return (at // self._pane_seconds + 1) * self._pane_seconds

    def _close_pane(self, at: float, status: ProcessStatus) -> None:
        self._pane_count += 1
        since = self._pane_losses.close(self._losses())
        if self._pane_count % _PANES_A_SCORE == 0:
            self._loss_log.tell({**self._pane_losses.before, **self._delivery.fates()})
        # Before the pane is handed on: whoever takes over with it has to know what is compared with by now.
        self._look_at_reference_file(at)
        self._sharing.post(self._counter.close(at, status, since), at)
        self._delivery_report.tell(status.accounts, at)

    def _losses(self) -> Mapping[SignalFate, int]:
        """What was lost since the start beside spans, events and metrics, which have their accounts."""
        return {**self._lost, **self._sharing.troubles, **self._delivery.spool_troubles}

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

    def accounts(self) -> Mapping[str, Account]:
        """Where everything of each signal is now; from any thread."""
        return self._accounting.accounts()

    def _handed(self) -> Captured:
        return Captured(self._handed_count, self._handed_span_count)

    def flush(self, timeout_seconds: float) -> int:
        """Sends what is waiting; returns how many are still waiting then."""
        pending = self._delivery.flush(timeout_seconds)
        self._accounting.keep(None)
        return pending

    def tell_lost(self) -> None:
        """Logs what could not be sent: the process may end now without telling anybody. From any thread."""
        self._end_line.tell(self.accounts(), self._delivery.troubles())

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
                status = ProcessStatus(0, self._rate, accounts=self.accounts())
                self._sharing.leave(self._counter.close(now, status, self._pane_losses.close(self._losses())))

    def close(self, timeout_seconds: float) -> None:
        """Sends what it can and stops."""
        self._delivery.close(timeout_seconds)
        self._accounting.end()
        self.tell_lost()

    def forget(self) -> None:
        """Lets go of what belongs to the parent process: what a forked child does at once."""
        self._sharing.forget()
        self._delivery.forget()
