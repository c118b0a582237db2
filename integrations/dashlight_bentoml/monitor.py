"""For those who call `bentoml.monitor` already: `services.monitoring.type = dashlight_bentoml.DashlightMonitor`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dashlight_bentoml.foreign import monitor_class
from dashlight_bentoml.recording import Recording

MonitorBase: Any = monitor_class()


class DashlightMonitor(MonitorBase):  # type: ignore[misc]  # BentoML is not there for the type checker
    """Takes what is logged as features and outputs of the request that logs it, or of a model of the monitor's name.

    Of the methods that it derives from none is used: they leave a block that raises open for ever, and check lengths
    with an assertion that cannot fail.
    """

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **options)  # pyright: ignore[reportUnknownMemberType]  # likewise
        self._recording = Recording(name)

    def start_record(self) -> None:
        """Begins a block."""
        self._recording.begin()

    def stop_record(self) -> None:
        """Ends it."""
        self._recording.end()

    def log(self, data: object, name: str, role: str, data_type: str) -> None:  # noqa: ARG002 - BentoML's
        """Takes one value of a column; what kind of column it is Dashlight sees from the values."""
        self._recording.log(data, name, role)

    def log_batch(self, data_batch: Iterable[object], name: str, role: str, data_type: str) -> None:  # noqa: ARG002 - BentoML's
        """Takes the values of a column, one a row."""
        self._recording.log_all(data_batch, name, role)
