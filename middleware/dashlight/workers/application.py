"""What a process serves: the same words for all workers of one server, and after a restart."""

import os.path
import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import unquote

_IMPORT = re.compile(r"(?:[^\W\d]\w*(?:\.[^\W\d]\w*)*:)?[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d][\w.]*(?:\(.*\))?")
"""`package.module:attribute`, also called, also behind Hypercorn's `asgi:`."""
_ADDRESS = re.compile(r"[\d.:_]+|0[xo][0-9a-f]+|.*:\d+|\[.*\]", re.IGNORECASE)
"""A number, a port, a host and a port: where it is served says nothing of what."""
_PLACES = frozenset(
    {"-b", "--bind", "--env", "-e", "--fd", "--header", "--host", "--insecure-bind", "--quic-bind", "--uds"}
)
"""Options whose value may look like an import string and is none."""
_TELLING = frozenset({
    "-c", "--app", "--app-dir", "--config", "--model", "--model-id", "--model-name", "--model-path", "--model_name",
    "--model_dir", "--service-name",
})  # fmt: skip
"""Options whose value parts one application from another."""
_MLFLOW_MODEL = "__pyfunc_model_path__"
"""Where MLflow's scoring server, whose command line is the same for every model, finds the path of its own.

Source: mlflow/pyfunc/scoring_server/__init__.py, `_SERVER_MODEL_PATH`.
"""


def application_of(argv: Sequence[str], *, cwd: str, environ: Mapping[str, str], name: str = "") -> str:
    """What the process of command line *argv*, started in *cwd*, serves; *name* is what an adapter says it is.

    Ports, numbers of workers and descriptors of sockets have no part in it. `sys.argv` is the command line of the
    server in each worker of uvicorn (0.54), gunicorn (27), hypercorn (0.18) and granian (2.8), forked or spawned.
    """
    service = _service_name(environ)
    if service:
        return f"{service} {name}" if name else service
    if name:
        return f"{name} in {cwd}"
    words = list(_words(argv[1:]))
    telling = [word for option, word in words if option in _TELLING]
    telling += [environ[_MLFLOW_MODEL]] if environ.get(_MLFLOW_MODEL) else []
    asked = environ.get("DASHLIGHT_APP", "").strip()
    served = [asked] if asked else [word for option, word in words if _is_import(option, word)]
    if not served:
        # Of a script also its arguments, such as `serve path/of/a/model`, but no values of options save files of Python.
        script = os.path.normpath(os.path.join(cwd, argv[0])) if argv else ""  # noqa: PTH118 - text, not a file
        served = [script, *(word for option, word in words if _is_argument(option, word))]
    parts = dict.fromkeys(word for word in (*served, *telling) if word)
    return f"{' '.join(parts)} in {cwd}"


def _service_name(environ: Mapping[str, str]) -> str:
    """The service's name as OpenTelemetry reads it, if somebody gave it one."""
    if environ.get("OTEL_SERVICE_NAME"):
        return environ["OTEL_SERVICE_NAME"]
    found = ""
    for pair in environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","):
        key, _, value = pair.partition("=")
        if key.strip() == "service.name":
            found = unquote(value.strip())
    return found


def _words(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each word that is no option itself, after the option whose value it may be; an empty one where there is none."""
    option = ""
    for argument in arguments:
        if argument.startswith("-"):
            option, is_whole, value = argument.partition("=")
            if is_whole:
                yield option, value
                option = ""
        else:
            yield option, argument
            option = ""


def _is_import(option: str, word: str) -> bool:
    return option not in _PLACES and _IMPORT.fullmatch(word) is not None


def _is_argument(option: str, word: str) -> bool:
    return word.endswith(".py") or (not option and not _ADDRESS.fullmatch(word))
