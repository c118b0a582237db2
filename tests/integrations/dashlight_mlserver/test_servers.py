"""Where MLServer comes to be watched, on a stand-in with the names of MLServer 1.7.1; the real one is started in tests/e2e."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

import dashlight
import dashlight_mlserver
from dashlight_mlserver.zero_code import patch

# mlserver/rest/server.py:28, mlserver/rest/endpoints.py:111, mlserver/grpc/servicers.py:72 and :82, mlserver/repository/factory.py:20
FILES = {
    "__init__.py": "",
    "rest/__init__.py": "",
    "rest/server.py": (
        "from starlette.applications import Starlette\n"
        "def create_app(settings, *, data_plane, model_repository_handlers):\n"
        "    return Starlette()\n"
    ),
    "rest/endpoints.py": "class Endpoints:\n    async def infer_stream(self, raw_request): return raw_request\n",
    "grpc/__init__.py": "",
    "grpc/servicers.py": (
        "class InferenceServicer:\n"
        "    async def ModelInfer(self, request, context): return request\n"
        "    async def ModelStreamInfer(self, requests_stream, context): yield requests_stream\n"
    ),
    "repository/__init__.py": (
        "class SchemalessModelRepository:\n    def __init__(self, root): self.root = root\n"
    ),
}  # fmt: skip


@pytest.fixture
def mlserver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of that name, and none of it imported before or after."""
    home = tmp_path / "mlserver"
    for name, source in FILES.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    yield home
    for name in [name for name in sys.modules if name.partition(".")[0] == "mlserver"]:
        del sys.modules[name]


def app() -> Starlette:
    created = import_module("mlserver.rest.server").create_app(None, data_plane=None, model_repository_handlers=None)
    assert isinstance(created, Starlette)
    return created


def watching(created: Starlette) -> list[Any]:
    return [each.cls for each in created.user_middleware]


def test_the_repository_of_the_settings_is_mlservers_own_and_its_servers_are_watched(mlserver: Path) -> None:
    repository = dashlight_mlserver.watched_repository(root="models")

    servicer = import_module("mlserver.grpc.servicers").InferenceServicer
    assert (type(repository).__name__, repository.root) == ("SchemalessModelRepository", "models")
    assert watching(app()) == [dashlight.DashlightMiddleware]
    assert import_module("mlserver.rest.endpoints").Endpoints.infer_stream.__wrapped__ is not None
    assert servicer.ModelInfer.__wrapped__ is not None
    assert servicer.ModelStreamInfer.__wrapped__ is not None


def test_watched_twice_is_watched_once(mlserver: Path) -> None:
    patch(import_module("mlserver.rest.server"))
    dashlight_mlserver.watch()

    assert watching(app()) == [dashlight.DashlightMiddleware]
    assert not hasattr(import_module("mlserver.grpc.servicers").InferenceServicer.ModelInfer.__wrapped__, "__wrapped__")


def test_what_another_mlserver_lacks_is_told_and_the_rest_is_watched(
    mlserver: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (mlserver / "rest" / "server.py").write_text("")
    (mlserver / "grpc" / "servicers.py").write_text("class InferenceServicer:\n    async def ModelInfer(self): ...\n")

    with caplog.at_level(logging.ERROR):
        dashlight_mlserver.watch()

    assert import_module("mlserver.grpc.servicers").InferenceServicer.ModelInfer.__wrapped__ is not None
    assert [record.getMessage().split(": ")[0] for record in caplog.records] == [
        "a part of MLServer is not watched"
    ] * 2


def test_without_mlserver_each_part_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        dashlight_mlserver.watch()

    assert {record.getMessage() for record in caplog.records} == {
        "a part of MLServer is not watched: No module named 'mlserver'"
    }
