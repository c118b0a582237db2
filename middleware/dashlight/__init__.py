"""Dashlight: the warning lights of a model in production.

One line in an ASGI app watches every request and response of a live model:
`app.add_middleware(DashlightMiddleware)`, or `app = dashlight.watch(app)` around it. Where there is no server, in a
notebook or a batch job, `dashlight.DriftDetector` judges rows in the same way.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from dashlight.version import __version__

if TYPE_CHECKING:
    from dashlight.adapters import adopt_spans, hand_over, label, name_application, note_loss, observe, record
    from dashlight.asgi import DashlightMiddleware, watch
    from dashlight.errors import DashlightError
    from dashlight.offline.detector import DriftDetector

__all__ = [  # noqa: RUF022 - names first
    "DashlightError", "DashlightMiddleware", "DriftDetector", "adopt_spans", "hand_over", "label", "name_application",
    "note_loss", "observe", "record", "watch", "__version__",
]  # fmt: skip

# PEP 562: nothing is loaded until a name is asked for.
_HOMES = {
    "DashlightError": "dashlight.errors",
    "DashlightMiddleware": "dashlight.asgi",
    "DriftDetector": "dashlight.offline.detector",
    "adopt_spans": "dashlight.adapters",
    "hand_over": "dashlight.adapters",
    "label": "dashlight.adapters",
    "name_application": "dashlight.adapters",
    "note_loss": "dashlight.adapters",
    "observe": "dashlight.adapters",
    "record": "dashlight.adapters",
    "watch": "dashlight.asgi",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
