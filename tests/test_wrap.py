from __future__ import annotations

from importlib.util import find_spec, module_from_spec
from typing import Any

import pytest

from dashlight import DashlightMiddleware
from dashlight.errors import SettingsError


def served() -> Any:
    """What a server finds as `dashlight.wrap:app`."""
    spec = find_spec("dashlight.wrap")
    assert spec is not None
    assert spec.loader is not None
    module: Any = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.app


def test_the_app_of_the_environment_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHLIGHT_APP", "starlette.applications:Starlette()")

    app = served()

    assert isinstance(app, DashlightMiddleware)
    assert type(app.app).__name__ == "Starlette"


def test_switched_off_it_is_the_plain_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHLIGHT_APP", "starlette.applications:Starlette()")
    monkeypatch.setenv("DASHLIGHT_ENABLED", "false")

    assert type(served()).__name__ == "Starlette"


def test_without_an_app_it_says_which_variable_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DASHLIGHT_APP", raising=False)

    with pytest.raises(SettingsError, match=r"^DASHLIGHT_APP='': expected an import path such as package\.module:app"):
        served()
