from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from runpy import run_path
from types import ModuleType
from typing import Any

import pytest

from dashlight.cli.run import environment, hook_directory
from dashlight.zero_code.start.sitecustomize import MARK, PATCHES, Finder, install, run_shadowed, tell

BROKEN = "Dashlight: uvicorn.config is not patched: "
PATCHED = "print(hasattr(uvicorn.config.Config.load, '__wrapped__'))"


def below_the_hook(
    code: str, *, before: Sequence[Path] = (), on: bool = True, python: str = sys.executable
) -> subprocess.CompletedProcess[str]:
    """Runs *code* in a Python as `dashlight run` would, with the directories *before* already on PYTHONPATH."""
    environ = environment({**os.environ, "PYTHONPATH": os.pathsep.join(map(str, before))})
    if not on:
        del environ[MARK]
    return subprocess.run([python, "-c", code], capture_output=True, text=True, env=environ, check=False, timeout=60)


def a_directory(tmp_path: Path, name: str, **modules: str) -> Path:
    """A directory of *modules*; of a package's module, as `package__module`, the package is there too."""
    for module, code in modules.items():
        path = (tmp_path / name).joinpath(*module.split("__")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        if "__" in module:
            (path.parent / "__init__.py").touch()
        path.write_text(code)
    return tmp_path / name


def test_a_process_that_serves_nothing_loads_nothing_more() -> None:
    code = "import sys; print(*sys.modules)"
    plain = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    done = below_the_hook(code)

    assert set(done.stdout.split()) - set(plain.stdout.split()) <= {"sitecustomize"}
    assert done.stderr == ""


def test_a_server_is_patched_as_soon_as_it_is_imported() -> None:
    done = below_the_hook(f"import uvicorn; {PATCHED}")

    assert (done.stdout, done.stderr) == ("True\n", "")


def test_a_server_is_patched_in_processes_that_are_spawned_too() -> None:
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', \"import uvicorn; {PATCHED}\"])"

    assert below_the_hook(code).stdout == "True\n"


def test_without_the_variable_nothing_is_patched() -> None:
    assert below_the_hook(f"import uvicorn; {PATCHED}", on=False).stdout == "False\n"


def test_the_loader_of_a_patched_module_is_its_own() -> None:
    code = (
        "import inspect, uvicorn.config as c; print(type(c.__loader__).__name__, type(c.__spec__.loader).__name__);"
        " print('class Config' in inspect.getsource(c))"
    )

    assert below_the_hook(code).stdout == "SourceFileLoader SourceFileLoader\nTrue\n"


@pytest.mark.parametrize("on", [True, False], ids=["on", "off"])
def test_a_sitecustomize_that_ours_shadows_still_runs(tmp_path: Path, *, on: bool) -> None:
    shadowed = a_directory(
        tmp_path, "theirs", sitecustomize="import sys; sys.ran = [*getattr(sys, 'ran', []), __name__]"
    )
    code = "import sys, sitecustomize; print(sys.ran, sitecustomize.__file__, sys.path[1:3])"

    done = below_the_hook(code, before=[shadowed], on=on)

    told = f"['sitecustomize'] {shadowed / 'sitecustomize.py'} {[hook_directory(), str(shadowed)]}\n"
    assert (done.stdout, done.stderr) == (told, "")


def test_without_another_sitecustomize_ours_is_the_one(tmp_path: Path) -> None:
    # A Python of its own, as the one of the tests may have a sitecustomize.
    done = below_the_hook("import sitecustomize; print(sitecustomize.__file__)", python=bare_python(tmp_path))

    assert done.stderr == ""
    assert done.stdout.endswith("sitecustomize.py\n")


def test_a_shadowed_sitecustomize_that_fails_is_told_by_python_and_ours_is_on(tmp_path: Path) -> None:
    shadowed = a_directory(tmp_path, "theirs", sitecustomize="import a_library_that_is_missing")

    done = below_the_hook(f"import uvicorn; {PATCHED}", before=[shadowed])

    assert done.stdout == "True\n"
    assert "Error in sitecustomize" in done.stderr
    assert "ModuleNotFoundError: No module named 'a_library_that_is_missing'" in done.stderr
    assert "Dashlight" not in done.stderr


def test_children_find_our_directory_first_although_a_shadowed_sitecustomize_puts_its_own_there(
    tmp_path: Path,
) -> None:
    theirs = tmp_path / "theirs"
    a_directory(
        tmp_path,
        "theirs",
        sitecustomize=f"import os; os.environ['PYTHONPATH'] = {str(theirs)!r} + ':' + os.environ['PYTHONPATH']",
    )

    done = below_the_hook("import os; print(os.environ['PYTHONPATH'])", before=[theirs])

    assert done.stdout.strip().split(os.pathsep) == [hook_directory(), str(theirs), str(theirs)]


def test_a_patch_that_fails_is_told_once_and_the_program_goes_on(tmp_path: Path) -> None:
    strange = a_directory(tmp_path, "strange", uvicorn__config="number = 5")

    done = below_the_hook("import uvicorn.config, uvicorn; print(uvicorn.config.number)", before=[strange])

    assert done.stdout == "5\n"
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{BROKEN}AttributeError: ")
    assert "no attribute 'Config'" in line


def test_a_python_without_dashlight_says_so_only_where_it_serves(tmp_path: Path) -> None:
    python = bare_python(tmp_path)
    served = a_directory(tmp_path, "served", uvicorn__config="number = 5")

    quiet = below_the_hook("print(1)", before=[served], python=python)
    serving = below_the_hook("import uvicorn.config; print(uvicorn.config.number)", before=[served], python=python)

    assert (quiet.stdout, quiet.stderr) == ("1\n", "")
    assert serving.stdout == "5\n"
    assert serving.stderr == f"{BROKEN}dashlight is not installed for {python}\n"


def test_an_error_in_a_module_of_the_server_is_the_servers(tmp_path: Path) -> None:
    failing = a_directory(tmp_path, "failing", uvicorn__config="raise OSError('no disk')")

    done = below_the_hook("import uvicorn.config", before=[failing])

    assert done.stderr.splitlines()[-1] == "OSError: no disk"
    assert "Dashlight" not in done.stderr


ANOTHER_HOOK = """
import sys
from importlib.util import find_spec

class Another:
    def find_spec(self, name, path=None, target=None):
        if name != "uvicorn.config" or name in sys.busy:
            return None
        sys.busy.add(name)
        return find_spec(name)

sys.busy = set()
"""


@pytest.mark.parametrize("place", ["0, Another()", "1, Another()"], ids=["before ours", "after ours"])
def test_another_hook_for_the_same_module_gets_on_with_ours(place: str) -> None:
    done = below_the_hook(f"{ANOTHER_HOOK}\nsys.meta_path.insert({place})\nimport uvicorn\n{PATCHED}")

    assert (done.stdout, done.stderr) == ("True\n", "")


def test_a_finder_that_fails_is_told_and_the_import_meets_its_error() -> None:
    code = """
import sys
class Failing:
    def find_spec(self, name, path=None, target=None):
        if name == "uvicorn.config":
            raise ValueError("lost")
sys.meta_path.insert(1, Failing())
import uvicorn
"""

    done = below_the_hook(code)

    assert done.stderr.startswith(f"{BROKEN}ValueError: lost\n")
    assert done.stderr.splitlines()[-1] == "ValueError: lost"


def test_a_server_that_was_imported_before_is_patched_at_once() -> None:
    code = f"""
import sys, uvicorn
from dashlight.zero_code.start.sitecustomize import PATCHES, install
install(PATCHES)
{PATCHED}
"""

    assert below_the_hook(code, on=False).stdout == "True\n"


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Name of a module that stands for a server's."""
    a_directory(tmp_path, "served", a_server_of_ours="number = 5", its_patch="def patch(module): module.number += 1")
    monkeypatch.syspath_prepend(tmp_path / "served")
    yield "a_server_of_ours"
    for name in ("a_server_of_ours", "its_patch"):
        sys.modules.pop(name, None)


def test_a_patch_is_given_the_module_that_was_imported(served: str) -> None:
    spec = Finder({served: "its_patch:patch"}).find_spec(served)
    assert spec is not None
    loader: Any = spec.loader
    module: Any = module_from_spec(spec)

    loader.exec_module(module)

    assert module.number == 6
    assert loader.get_source(served) == "number = 5"
    assert module.__loader__ is spec.loader is not loader


def test_a_module_that_was_made_by_hand_is_loaded_too(served: str) -> None:
    spec = Finder({served: "its_patch:patch"}).find_spec(served)
    assert spec is not None
    loader, module = spec.loader, ModuleType(served)
    assert loader is not None

    loader.exec_module(module)

    assert vars(module)["number"] == 6


@pytest.mark.parametrize("name", ["json", "a_server_that_is_missing"], ids=["no server", "not there"])
def test_other_modules_and_missing_ones_are_left_to_other_finders(name: str) -> None:
    assert Finder({"a_server_that_is_missing": "its_patch:patch"}).find_spec(name) is None


class Ancient:
    """Finds a module whose loader cannot execute: as old ones load all by themselves."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        return ModuleSpec(name, None) if name == "an_ancient_server" else None


def test_a_module_without_a_loader_that_executes_is_found_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", [Ancient()])

    spec = Finder({"an_ancient_server": "its_patch:patch"}).find_spec("an_ancient_server")

    assert spec is not None
    assert spec.loader is None


def test_without_a_stderr_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)

    tell("anything")


@pytest.fixture
def interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a start of Python changes, to be as before at the end; our directory stands where PYTHONPATH puts it."""
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(sys, "path", [hook_directory(), *sys.path])
    monkeypatch.setitem(sys.modules, "sitecustomize", ModuleType("sitecustomize"))
    monkeypatch.setenv(MARK, hook_directory())
    monkeypatch.setenv("PYTHONPATH", "")


@pytest.mark.usefixtures("interpreter")
@pytest.mark.parametrize("on", [True, False], ids=["on", "off"])
def test_the_start_of_a_python_runs_what_is_shadowed_and_installs_the_hook_where_it_is_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, on: bool
) -> None:
    monkeypatch.setenv(MARK, hook_directory() if on else "")
    shadowed = a_directory(tmp_path, "theirs", sitecustomize="import os; os.environ['PYTHONPATH'] = '/theirs'")
    monkeypatch.setattr(sys, "path", [*sys.path[:1], str(shadowed), *sys.path[1:]])
    path = list(sys.path)

    run_path(str(Path(hook_directory()) / "sitecustomize.py"), run_name="sitecustomize")

    assert sys.path == path
    assert (type(sys.meta_path[0]).__name__ == "Finder") == on
    assert os.environ["PYTHONPATH"] == (os.pathsep.join([hook_directory(), "/theirs"]) if on else "/theirs")


@pytest.mark.usefixtures("interpreter")
def test_where_nothing_is_shadowed_ours_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = sys.modules["sitecustomize"]
    monkeypatch.setattr(sys, "path", [hook_directory()])
    monkeypatch.setattr(sys, "meta_path", [each for each in sys.meta_path if each is PathFinder])

    run_shadowed(hook_directory())

    assert sys.modules["sitecustomize"] is ours
    assert sys.path == [hook_directory()]


@pytest.mark.usefixtures("interpreter")
def test_what_a_shadowed_sitecustomize_cannot_import_is_its_own_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shadowed = a_directory(tmp_path, "theirs", sitecustomize="import a_library_that_is_missing")
    monkeypatch.setattr(sys, "path", [hook_directory(), str(shadowed), *sys.path[1:]])

    with pytest.raises(ModuleNotFoundError, match="a_library_that_is_missing"):
        run_shadowed(hook_directory())

    assert sys.path[:2] == [hook_directory(), str(shadowed)]


@pytest.mark.usefixtures("interpreter")
def test_what_is_imported_already_is_patched_when_the_hook_comes(
    served: str, capsys: pytest.CaptureFixture[str]
) -> None:
    module: Any = import_module(served)

    install({served: "its_patch:patch", "sys": "no_such_patch:patch", "not_yet_there": "its_patch:patch"})

    assert module.number == 6
    assert capsys.readouterr().err == (
        f"Dashlight: sys is not patched: no_such_patch is not installed for {sys.executable}\n"
    )


class Failing:
    """Another hook, which makes a mistake."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        raise ValueError("lost")


def test_a_mistake_of_another_hook_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "meta_path", [Failing()])

    assert Finder({"a_server": "its_patch:patch"}).find_spec("a_server") is None
    assert capsys.readouterr().err == "Dashlight: a_server is not patched: ValueError: lost\n"


class Asking:
    """Another hook, which asks all finders from within, as wrapt's does."""

    def __init__(self) -> None:
        self.answers: list[Any] = []

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        self.answers.append(sys.meta_path[0].find_spec(name, path, target))


def test_a_hook_that_asks_again_from_within_is_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    asking = Asking()
    monkeypatch.setattr(sys, "meta_path", [Finder({"a_server": "its_patch:patch"}), asking])

    assert sys.meta_path[0].find_spec("a_server", None, None) is None
    assert asking.answers == [None]


@pytest.mark.parametrize("patch", sorted(each for each in PATCHES.values() if each.startswith("dashlight.")))
def test_every_patch_of_ours_is_there(patch: str) -> None:
    home, _, function = patch.partition(":")

    assert callable(getattr(import_module(home), function))


def bare_python(tmp_path: Path) -> str:
    """A Python that has nothing installed."""
    venv.create(tmp_path / "bare", symlinks=True)
    return str(tmp_path / "bare" / "bin" / "python")
