"""Dashlight in BentoML: `@dashlight_bentoml.watch` above `@bentoml.service`, and nothing else.

`watch(Service)` after the class does the same. Those who call `bentoml.monitor` already may name
`dashlight_bentoml.DashlightMonitor` as `services.monitoring.type` instead.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dashlight_bentoml.monitor import DashlightMonitor
    from dashlight_bentoml.service import watch

__all__ = ["DashlightMonitor", "watch"]

# BentoML names a monitor by its class, and reading the class loads BentoML: not before it is asked for.
_HOMES = {"DashlightMonitor": "dashlight_bentoml.monitor", "watch": "dashlight_bentoml.service"}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
