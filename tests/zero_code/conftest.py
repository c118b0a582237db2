"""Servers' modules to be patched, apart from those that other tests use."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec, module_from_spec
from types import ModuleType

import pytest


@pytest.fixture
def own_copy() -> Callable[[str], ModuleType]:
    """Loads a module a second time: patches of this copy are nobody else's."""

    def load(name: str) -> ModuleType:
        spec = find_spec(name)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load
