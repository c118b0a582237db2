"""Optional packages: loaded when the first body needs them, so that apps that never send one pay nothing."""

from functools import lru_cache
from importlib import import_module
from typing import Any


@lru_cache(maxsize=16)
def optional_module(name: str) -> Any | None:
    """The module *name*, or None where it is not installed. Each package is asked for in one file only."""
    try:
        return import_module(name)
    except ImportError:
        return None
