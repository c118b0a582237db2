"""When figures are pushed to a collector: at most once in an interval, and once more at the end."""

from collections.abc import Callable

from dashlight.figures import Figures

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
