"""Joins the stages on the analysis thread: decode -> window -> judge -> deliver."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from itertools import count

from dashlight.capture.inbox import Captured
from dashlight.clock import Clock
from dashlight.counting.machine import MachineCounter, ProcessStatus
from dashlight.counting.policy import Policy
from dashlight.counting.remains import Uncounted
from dashlight.decode.batch import Decoder
from dashlight.deliver.alerting.courier import Couriers
from dashlight.deliver.alerting.heartbeat import Heartbeat
from dashlight.deliver.alerting.owed import LOG, Owed
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
from dashlight.runtime.freed_memory import FreedMemory
from dashlight.runtime.intake import Intake
from dashlight.runtime.labels.labelling import Labelling
from dashlight.runtime.loss_log import LossLog, tell_owed
from dashlight.runtime.pane_losses import PaneLosses
from dashlight.runtime.publisher import Publisher, Publishing
from dashlight.runtime.showing import NOTHING_SHOWN, Showing, Shows
from dashlight.runtime.signals import SignalIntake
from dashlight.store.reference_file import ReferenceFile
from dashlight.workers.closing import Turn
from dashlight.workers.member import Sharing

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
        shows: Shows = NOTHING_SHOWN,
        heartbeats: Sequence[Heartbeat] = (),
        couriers: Couriers | None = None,
        shutdown_seconds: float = 5.0,
        captured: Callable[[], Captured] | None = None,
        signals: SignalIntake | None = None,
        labelling: Labelling | None = None,
    ) -> None:
        """*counter* counts for the *sharing* of this process in the watch of its machine, under *policy*.

        *captured* says what the request path has seen; None: what is counted here, and nothing was lost on the way.
        *signals* counts business numbers, *labelling* keeps predictions for their labels, where there are any.

        *reference_file* is looked at after every pane: one that was replaced is compared with from then on. Figures are
        made after every pane where *report* wants them, or where it *shows* them or a view. *couriers* deliver what
        *sharing* owes, at the end for half of *shutdown_seconds*. *heartbeats* hear of every pane that was judged.
        """
        self._delivery = delivery
        numbers = count(1)
        self._publisher = Publisher(
            spans=spans, delivery=delivery, publishing=publishing, policy=policy, numbers=numbers
        )
        self._delivery_report = DeliveryReport(delivery, numbers=numbers, at=clock.now())
        self._alert_publisher = AlertPublisher(
            delivery,
            couriers or Couriers((), Owed([LOG])),
            heartbeats,
            numbers=numbers,
            shutdown_seconds=shutdown_seconds,
        )
        self._counter = counter
        self._sharing = sharing
        self._reference_file = reference_file
        self._report = report
        self._showing = Showing(shows, policy, sharing)
        self._clock = clock
        self._pane_seconds = policy.pane_seconds
        self._pane_end_at = self._next_end(clock.now())
        self._pane_count = 0
        self._rate = 1.0
        self._loss_log, self._end_line = LossLog(), EndLine()
        self._freed_memory = FreedMemory()
        self._pane_losses = PaneLosses()
        self._lost: Mapping[SignalFate, int] = {}
        """What was lost before analysis, as it was told last."""
        self._intake = Intake(
            decoder,
            counter,
            self._publisher,
            policy,
            signals=signals,
            keeping=None if labelling is None else labelling.keeping,
        )
        self._labelling = labelling
        self._signals = signals
        self._accounting = Accounting(delivery, publishing.sampler, captured or self._handed, journal=sharing.journal)

    def analyse(self, exchanges: Sequence[Exchange]) -> Mapping[int, str]:
        """Decodes these exchanges and counts their rows; returns, by prediction id, the failures found inside."""
        return self._intake.analyse(exchanges)

    def count(self, exchanges: Sequence[Exchange], failures: Mapping[int, str]) -> None:
        """Counts every exchange exactly: outcome, latency, traffic; makes the spans and events of some."""
        self._intake.count(exchanges, failures, rate=self._rate)

    def count_excluded(self, exchanges: Sequence[Exchange]) -> None:
        """Counts exchanges of excluded URLs, where nobody judges: no claim, no span, no event comes of them."""
        self._intake.count_excluded(exchanges)

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
        if self._signals is not None:
            self._signals.count()
        if not 0 < self._pane_end_at - at <= self._pane_seconds:
            # Panes of all processes end at the same moments. One that ends late is a long pane; a clock that was set
            # back must not make one that never ends.
            self._pane_end_at = self._next_end(at)
            self._close_pane(
                at,
                ProcessStatus(in_flight_count, rate, 0.0, waiting_count, self._intake.take_answered(), self.accounts()),
            )
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
            self._freed_memory.give_back()
        # Before the pane is handed on: whoever takes over with it has to know what is compared with by now.
        self._look_at_reference_file(at)
        self._sharing.post(self._counter.close(at, status, since), at)
        self._delivery_report.tell(status.accounts, at)

    def _losses(self) -> Mapping[SignalFate, int]:
        """What was lost since the start beside spans, events and metrics, which have their accounts."""
        alerts, of_workers, of_disk = (
            self._alert_publisher.fates(),
            self._sharing.troubles,
            self._delivery.spool_troubles,
        )
        of_signals: Mapping[SignalFate, int] = {} if self._signals is None else self._signals.lost
        of_labels: Mapping[SignalFate, int] = {} if self._labelling is None else self._labelling.counts
        return {**self._lost, **alerts, **of_workers, **of_disk, **of_signals, **of_labels}

    def _tell(self, turn: Turn, at: float) -> None:
        """Sends what came of a pane of the machine, and every so often its scores."""
        watch = turn.watch
        self._alert_publisher.tell(turn, at)
        if not turn.has_pane:
            return
        self._alert_publisher.send_decided(watch.versions.take_decided())
        is_sent = watch.pane_count % _PANES_A_SCORE == 0
        wants_figures = self._report is not None and self._report.is_wanted()
        if not (is_sent or wants_figures or self._showing.is_wanted):
            return
        # Once for all: of 500 columns they take milliseconds.
        snapshots = list(watch.snapshots())
        for endpoint, snapshot in snapshots if is_sent else ():
            self._alert_publisher.send_scores([snapshot], endpoint=endpoint, at=at)
        owed = self._alert_publisher.owed_counts
        self._showing.show(watch, snapshots, at, owed=owed, wants_figures=wants_figures)

    def _look_at_reference_file(self, at: float) -> None:
        """Every process looks, whether it judges or not: the one that does may be another with the next pane."""
        if self._reference_file is None:
            return
        self._reference_file.replaced()
        found, known = self._reference_file.reference, self._sharing.reference
        if found is None or (known is not None and found.version == known.version):
            return
        logger.info("the reference file was replaced: version %s, %d rows", found.version, found.rows)
        self._sharing.replace_reference(found, at)

    def accounts(self) -> Mapping[str, Account]:
        """Where everything of each signal is now; from any thread."""
        return self._accounting.accounts()

    def _handed(self) -> Captured:
        return self._intake.handed

    def flush(self, timeout_seconds: float) -> int:
        """Sends what is waiting; returns how many are still waiting then."""
        end_at = self._clock.monotonic() + timeout_seconds
        if self._labelling is not None:
            self._labelling.flush(timeout_seconds / 4)
        owed_count = self._alert_publisher.flush(timeout_seconds / 2)
        pending = self._delivery.flush(max(end_at - self._clock.monotonic(), 0.0))
        self._accounting.keep(None)
        return owed_count + pending

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
                left = self._alert_publisher.leave()
                if self._signals is not None:
                    self._signals.count()
                status = ProcessStatus(0, self._rate, accounts=self.accounts())
                self._sharing.leave(self._counter.close(now, status, self._pane_losses.close(self._losses())))
                tell_owed(left, is_kept=self._sharing.has_checkpoint)

    def close(self, timeout_seconds: float) -> None:
        """Sends what it can and stops."""
        end_at = self._clock.monotonic() + timeout_seconds
        self._alert_publisher.close(timeout_seconds / 2)
        self._delivery.close(max(end_at - self._clock.monotonic(), 0.0))
        if self._labelling is not None:
            self._labelling.close(max(end_at - self._clock.monotonic(), 0.0))
        self._accounting.end()
        self.tell_lost()

    def forget(self) -> None:
        """Lets go of what belongs to the parent process: what a forked child does at once."""
        self._sharing.forget()
        self._delivery.forget()
        if self._labelling is not None:
            self._labelling.forget()
