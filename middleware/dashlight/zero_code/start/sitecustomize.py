"""What Python runs at each of its starts below `dashlight run`: waits for the modules of servers, and patches them.

It imports nothing but what every Python has loaded by now, not even Dashlight: most processes serve nothing, and some
belong to a Python that has no Dashlight. Whatever goes wrong in here is told on stderr, and the app goes on.
"""

import os
import sys
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

PATCHES = {
    "_bentoml_impl.server.app": "dashlight_bentoml.zero_code:patch",
    "granian.asgi": "dashlight.zero_code.granian:patch",
    "granian.rsgi": "dashlight.zero_code.granian:patch_rsgi",
    "granian.wsgi": "dashlight.zero_code.granian:patch_wsgi",
    "gunicorn.arbiter": "dashlight.zero_code.gunicorn:patch_arbiter",
    "gunicorn.workers.gasgi": "dashlight.zero_code.gunicorn:patch",
    "hypercorn.utils": "dashlight.zero_code.hypercorn:patch",
    "mlserver.rest.server": "dashlight_mlserver.zero_code:patch",
    "opentelemetry.instrumentation.auto_instrumentation": "dashlight.zero_code.opentelemetry:patch",
    "ray.serve._private.http_util": "dashlight_ray.zero_code:patch",
    "uvicorn.config": "dashlight.zero_code.uvicorn:patch",
}
"""For a module, the function that is given it once it has been imported, as `package.module:function`."""

MARK = "_DASHLIGHT_RUN"
"""Variable that says that the hook is on: its value is this directory. Not DASHLIGHT_: it is no setting."""


class Finder:
    """Stands first on sys.meta_path: finds nothing itself, but sees to it that *patches* follow their modules."""

    def __init__(self, patches: "Mapping[str, str]") -> None:
        self._patches = patches
        self._busy: set[tuple[str, int]] = set()

    def find_spec(
        self, name: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        """What the other finders find of a module that has a patch; None for all others."""
        if name not in self._patches:
            return None
        # Other hooks search sys.meta_path from within their own find_spec, and so come back to us.
        search = (name, get_ident())
        if search in self._busy:
            return None
        self._busy.add(search)
        try:
            return self._found(name, path, target)
        except Exception as error:  # the import goes on, and meets the same error where it is one
            tell(f"{name} is not patched: {_words(error)}")
            return None
        finally:
            self._busy.discard(search)

    def _found(self, name: str, path: "Sequence[str] | None", target: "ModuleType | None") -> "ModuleSpec | None":
        for finder in list(sys.meta_path):
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(name, path, target) if find is not None else None
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = Loader(spec.loader, self._patches[name])  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]  # a loader by what it does
                return spec
        return None


class Loader:
    """Loads a module as its own loader does, then hands it to the patch."""

    def __init__(self, loader: "Any", patch: str) -> None:
        self._loader = loader
        self._patch = patch

    def create_module(self, spec: "ModuleSpec") -> "ModuleType | None":
        """As the own loader."""
        created: ModuleType | None = self._loader.create_module(spec)
        return created

    def exec_module(self, module: "ModuleType") -> None:
        """Runs the module, which sees its own loader and not us, and then the patch."""
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        apply(self._patch, module)

    def __getattr__(self, name: str) -> "Any":
        return getattr(self._loader, name)


def install(patches: "Mapping[str, str]") -> None:
    """Patches the modules of *patches* that are imported already, and the others as soon as they are."""
    sys.meta_path.insert(0, Finder(patches))
    for name, patch in patches.items():
        if name in sys.modules:
            apply(patch, sys.modules[name])


def apply(patch: str, module: "ModuleType") -> None:
    """Calls the function `package.module:function` with *module*; raises nothing."""
    home, _, function = patch.partition(":")
    try:
        __import__(home)
        getattr(sys.modules[home], function)(module)
    except Exception as error:  # the server is the app's, and must start
        missing = isinstance(error, ImportError) and error.name == home.partition(".")[0]
        why = f"{error.name} is not installed for {sys.executable}" if missing else _words(error)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # asked in the line above
        tell(f"{module.__name__} is not patched: {why}")


def tell(words: str) -> None:
    """One line on stderr, if there is one."""
    try:  # noqa: SIM105 - contextlib is not loaded yet
        sys.stderr.write(f"Dashlight: {words}\n")
    except (AttributeError, OSError, ValueError):
        pass  # a daemon has closed it


def run_shadowed(directory: str) -> None:
    """Runs the sitecustomize that the one in *directory* stands in front of, as Python would have without it.

    What that raises is raised: Python says so, and starts all the same.
    """
    ours = sys.modules["sitecustomize"]
    kept = [(index, entry) for index, entry in enumerate(sys.path) if entry == directory]
    for _, entry in kept:
        sys.path.remove(entry)
    del sys.modules["sitecustomize"]
    try:
        __import__("sitecustomize")
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
        sys.modules["sitecustomize"] = ours
    finally:
        for index, entry in kept:
            sys.path.insert(index, entry)


def come_first(directory: str) -> None:
    """Puts *directory* first on the PYTHONPATH that children inherit: OpenTelemetry's sitecustomize puts its own there."""
    os.environ["PYTHONPATH"] = with_first(directory, python_path=os.environ.get("PYTHONPATH", ""))


def with_first(directory: str, *, python_path: str) -> str:
    """*python_path*, whose empty entries stand for the working directory, with *directory* first and nowhere else."""
    others = python_path.split(os.pathsep) if python_path else []
    return os.pathsep.join([directory, *(entry for entry in others if entry != directory)])


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _start(directory: str) -> None:
    """What happens at the start of an interpreter."""
    if os.environ.get(MARK):
        install(PATCHES)
    try:
        run_shadowed(directory)
    finally:
        if os.environ.get(MARK):
            come_first(directory)


# Imported by any other name, it is looked at and does nothing.
if __name__ == "sitecustomize":
    # Not pathlib, which costs as much as all the rest of the start.
    _start(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
