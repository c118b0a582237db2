from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from dashlight.errors import SettingsError
from dashlight.zero_code.named_app import named_app

NUMBERS = count()
MODULE = """
class Inner:
    async def __call__(self, scope, receive, send): ...
    def create(self): return app
async def app(scope, receive, send): ...
async def any_way(*arguments): ...
async def unclear(scope, receive, send): ...
unclear.__signature__ = "none"
class Old:
    def __init__(self, scope): ...
inner = Inner()
inner.deeper = app
number = 5
def create(): return app
def create_nothing(): return None
def create_another(): return create
def create_for(name): return app
def create_badly(): raise OSError("no weights here")
def old(environ, start_response): ...
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Name of a module with apps in the working directory."""
    name = f"named_{next(NUMBERS)}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    yield name
    sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("path", "attribute"),
    [
        ("app", "app"), ("inner", "inner"), ("inner.deeper", "app"), ("create()", "app"), ("inner.create()", "app"),
        ("Old", "Old"), ("any_way", "any_way"), ("unclear", "unclear"),
        ("app ", "app"),
    ],
)  # fmt: skip
def test_an_app_is_found_by_its_name_or_made_by_a_factory(module: str, path: str, attribute: str) -> None:
    app = named_app(f"{module}:{path}")

    assert app is getattr(sys.modules[module], attribute)


def test_the_working_directory_is_looked_into_once(module: str, tmp_path: Path) -> None:
    named_app(f"{module}:app")
    named_app(f"{module}:app")

    assert sys.path.count(str(tmp_path)) == 1


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing", "{}:missing': expected the name of an app, but {} has no attribute 'missing'"),
        ("inner.missing", "{}:inner.missing': expected the name of an app, but Inner has no attribute 'missing'"),
        ("number", "{}:number': expected an ASGI app, but found int"),
        ("number()", "{}:number()': expected a factory before the (), but found int"),
        ("create_nothing()", "{}:create_nothing()': expected an ASGI app, but found NoneType"),
        ("create_another()", "{}:create_another()': expected an ASGI app, but that takes no arguments"),
        (
            "create",
            "{}:create': expected an ASGI app, but that takes no arguments; if it makes the app, write {}:create()",
        ),
        ("old", "{}:old': expected an ASGI app, but that takes two arguments, as WSGI apps do"),
    ],
)
def test_what_is_no_app_is_one_clear_error(module: str, path: str, message: str) -> None:
    with pytest.raises(SettingsError) as mistake:
        named_app(f"{module}:{path}")

    assert str(mistake.value) == f"DASHLIGHT_APP='{message.replace('{}', module)}"


@pytest.mark.parametrize("path", ["", "module", "module.app", ":app", "module:", "a b:app", "module:create(5)"])
def test_what_is_no_import_path_is_one_clear_error(path: str) -> None:
    with pytest.raises(SettingsError) as mistake:
        named_app(path)

    assert str(mistake.value) == (
        f"DASHLIGHT_APP='{path}': expected an import path such as package.module:app or package.module:create()"
    )


@pytest.mark.parametrize("name", ["no_such_module", "no_such_package.module", "json.no_such_part"])
def test_a_module_that_is_missing_is_told_from_one_that_fails(name: str) -> None:
    with pytest.raises(SettingsError, match=rf"^DASHLIGHT_APP='{name}:app': expected a module .*: No module named"):
        named_app(f"{name}:app")


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("import a_library_that_is_missing", ModuleNotFoundError),
        ("from json import nothing", ImportError),
        ("weights = open('nowhere')", FileNotFoundError),
        ("def app(:", SyntaxError),
    ],
)
@pytest.mark.usefixtures("module")
def test_an_error_inside_the_module_is_shown_with_its_traceback(
    tmp_path: Path, line: str, kind: type[Exception]
) -> None:
    name = f"failing_{next(NUMBERS)}"
    (tmp_path / f"{name}.py").write_text(f"\n{line}\n")

    with pytest.raises(kind) as raised:
        named_app(f"{name}:app")

    shown = "".join(traceback.format_exception(raised.value))
    assert f'{name}.py", line 2' in shown
    assert f"Raised by the app that DASHLIGHT_APP='{name}:app' names." in shown


@pytest.mark.parametrize(("path", "kind"), [("create_badly()", OSError), ("create_for()", TypeError)])
def test_an_error_of_a_factory_is_its_own(module: str, path: str, kind: type[Exception]) -> None:
    with pytest.raises(kind) as raised:
        named_app(f"{module}:{path}")

    assert raised.value.__notes__ == [f"Raised by the app that DASHLIGHT_APP='{module}:{path}' names."]


def test_an_app_that_does_not_say_what_it_takes_is_believed() -> None:
    assert named_app("builtins:print") is print
    assert named_app("builtins:dict") is dict
