"""Figures to OpenTelemetry: through the host's MeterProvider where there is one, else pushed by Dashlight."""

from collections.abc import Callable

from dashlight.deliver.meter import MeterReport, configured_provider
from dashlight.deliver.metric_push import MetricPush
from dashlight.figures import Figures


class MetricReport:
    """Tells OpenTelemetry the figures of the host, from the process that judges for it. For the analysis thread."""

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
