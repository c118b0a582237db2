"""Figures -> OpenTelemetry: by the app's MeterProvider where it has one, else pushed by Dashlight as OTLP."""

from collections.abc import Callable

from dashlight.metrics.figures import Figures
from dashlight.metrics.meter_provider import MeterReport, configured_provider


class MetricReport:
    """Tells OpenTelemetry the figures of the machine, from the process that judges for it. For the analysis thread."""

    def __init__(
        self,
        latest: Callable[[], Figures | None],
        *,
        version: str,
        send: Callable[[Figures], None] | None,
        interval_seconds: float,
    ) -> None:
        """*latest* gives None in all processes but one, and is called on any thread; *send* is None: nowhere to push to."""
        self._latest = latest
        self._meter = MeterReport(latest, version=version)
        self._push = MetricPush(send, interval_seconds=interval_seconds) if send is not None else None

    def is_wanted(self) -> bool:
        """Whether anybody would hear of figures; who configures a provider later is heard later."""
        return self._push is not None or configured_provider() is not None

    def tell(self) -> None:
        """To be called when there are new figures: the provider learns of new instruments, or the figures are pushed."""
        figures = self._latest()
        if figures is None or self._meter.look_around():
            self._forgo()
        elif self._push is not None:
            self._push.offer(figures)

    def finish(self) -> None:
        """Pushes figures that were kept for later; before the delivery is flushed or closed."""
        if self._push is not None:
            self._push.finish()

    def _forgo(self) -> None:
        if self._push is not None:
            self._push.forgo()


_EARLY = 0.1
"""Part of the interval by which figures may come early, so that those of a pane are not held back for the next one."""


class MetricPush:
    """Sends the latest figures on when they are due. For one thread."""

    def __init__(self, send: Callable[[Figures], None], *, interval_seconds: float) -> None:
        """*interval_seconds* lies between two that are sent; figures that come less often are all sent."""
        self._send = send
        self._interval_seconds = interval_seconds
        self._sent_at = float("-inf")
        self._waiting: Figures | None = None

    def offer(self, figures: Figures) -> None:
        """Sends *figures* if it is time, else keeps them until newer ones come or the end does."""
        passed_seconds = figures.at - self._sent_at
        # A clock that was set back must not silence the metrics.
        if passed_seconds >= self._interval_seconds * (1 - _EARLY) or passed_seconds < 0:
            self._dispatch(figures)
        else:
            self._waiting = figures

    def finish(self) -> None:
        """Sends figures that were kept; before the delivery is flushed or closed."""
        if self._waiting is not None:
            self._dispatch(self._waiting)

    def forgo(self) -> None:
        """Lets go of figures that were kept: somebody else tells them."""
        self._waiting = None

    def _dispatch(self, figures: Figures) -> None:
        self._waiting = None
        self._sent_at = figures.at
        self._send(figures)
