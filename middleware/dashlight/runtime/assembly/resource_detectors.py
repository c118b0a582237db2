"""What the resource detectors of OTEL_EXPERIMENTAL_RESOURCE_DETECTORS find out about machine and process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Any, Final

from dashlight.capture.plugins import RESOURCE_DETECTORS, offered

logger = logging.getLogger(__name__)

DETECTION_SECONDS: Final = 5.0
"""As long as the SDK waits for a detector: some ask a cloud's metadata service."""
_OURS: Final = frozenset({"otel", "service_instance"})


def detected_attributes(environ: Mapping[str, str], *, seconds: float = DETECTION_SECONDS) -> Mapping[str, object]:
    """Attributes of all detectors that the variable names, later ones winning; one warning for those that find nothing."""
    found: dict[str, object] = {}
    missing: list[str] = []
    for name in _names(environ):
        try:
            detector = offered(RESOURCE_DETECTORS, name)()
            found |= _detected(detector.detect, seconds)
        except TimeoutError:
            missing.append(f"{name} took longer than {seconds:g} s")
        except LookupError as error:
            missing.append(str(error))
        except Exception as error:
            missing.append(f"{name} fails ({type(error).__name__}: {error})")
    if missing:
        logger.warning("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS: %s; the others are used", "; ".join(missing))
    return found


def _names(environ: Mapping[str, str]) -> list[str]:
    """Without those whose work is done in any case; `*` stands for all that are installed."""
    named = [name.strip() for name in environ.get("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS", "").split(",")]
    if "*" in named:
        named += sorted(entry_points(group=RESOURCE_DETECTORS).names)
    return [name for name in dict.fromkeys(named) if name and name != "*" and name not in _OURS]


def _detected(detect: Callable[[], Any], seconds: float) -> dict[str, object]:
    """What *detect* finds, on a thread of its own: one that hangs must not keep the analysis from starting."""
    outcome: list[dict[str, object] | Exception] = []

    def run() -> None:
        try:
            outcome.append(dict(detect().attributes))
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=run, name="dashlight-detector", daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise TimeoutError
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]
