"""The ASGI app that an import path names: `package.module:app`, or `package.module:create()` for a factory."""

from __future__ import annotations

import inspect
import re
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from dashlight.errors import SettingsError

VARIABLE = "DASHLIGHT_APP"
_PATH = re.compile(r"([\w.]+):([\w.]+?)(\(\))?")


def named_app(path: str) -> Any:
    """The app that *path*, the value of DASHLIGHT_APP, names.

    The working directory counts as a place of modules, as it does for servers. An error inside the named module or
    inside the factory is raised as it is, with a note of who imported it.

    Raises:
        SettingsError: there is no such module or attribute, or it is no ASGI app.
    """
    found = _PATH.fullmatch(path.strip())
    if found is None:
        raise SettingsError(VARIABLE, path, "an import path such as package.module:app or package.module:create()")
    module_name, attributes, call = found[1], found[2], bool(found[3])
    app: Any = _module(path, module_name)
    for name in attributes.split("."):
        if not hasattr(app, name):
            where = app.__name__ if isinstance(app, ModuleType) else type(app).__name__
            raise SettingsError(VARIABLE, path, f"the name of an app, but {where} has no attribute {name!r}")
        app = getattr(app, name)
    if call:
        app = _made(path, app)
    return _checked(path, app, is_made=call)


def _module(path: str, name: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name == missing or name.startswith(f"{missing}."):
            raise SettingsError(VARIABLE, path, f"a module that can be imported: {error}") from None
        error.add_note(_note(path))
        raise
    except Exception as error:
        error.add_note(_note(path))
        raise


def _made(path: str, factory: Any) -> Any:
    if not callable(factory):
        raise SettingsError(VARIABLE, path, f"a factory before the (), but found {type(factory).__name__}")
    try:
        return factory()
    except Exception as error:
        error.add_note(_note(path))
        raise


def _checked(path: str, app: Any, *, is_made: bool) -> Any:
    """*app*, if it can be called as ASGI apps are."""
    if not callable(app):
        raise SettingsError(VARIABLE, path, f"an ASGI app, but found {type(app).__name__}")
    taken = None if inspect.isclass(app) else _parameter_count(app)
    if taken == 0:
        hint = "" if is_made else f"; if it makes the app, write {path.strip()}()"
        raise SettingsError(VARIABLE, path, f"an ASGI app, but that takes no arguments{hint}")
    if taken == 2:
        raise SettingsError(VARIABLE, path, "an ASGI app, but that takes two arguments, as WSGI apps do")
    return app


def _parameter_count(app: Any) -> int | None:
    """How many positional arguments *app* takes; None where that is not known or not fixed."""
    try:
        parameters = inspect.signature(app).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return None
    return sum(each.kind in {each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD} for each in parameters)


def _note(path: str) -> str:
    return f"Raised by the app that {VARIABLE}={path!r} names."
