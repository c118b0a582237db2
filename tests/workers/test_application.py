"""What a process serves is the same for all workers and after a restart, and parts one application from another."""

from __future__ import annotations

import pytest

from dashlight.workers.application import application_of

MAIN = "/venv/site-packages/uvicorn/__main__.py"
BENTO_WORKER = "/venv/site-packages/_bentoml_impl/worker/service.py"


def served(line: str, *, cwd: str = "/srv/shop", **environ: str) -> str:
    return application_of(line.split(), cwd=cwd, environ=environ)


@pytest.mark.parametrize(
    "line",
    [
        "/venv/bin/uvicorn srv:app --workers 2 --port 8000 --host 127.0.0.1",
        f"{MAIN} --workers 2 srv:app",
        "/venv/bin/gunicorn -k uvicorn.workers.UvicornWorker -w 2 -b localhost:http srv:app",
        "/venv/bin/gunicorn --preload srv:app",
        "/venv/bin/hypercorn -w 2 -b unix:run.sock srv:app",
        "/venv/bin/granian --interface asgi --workers 2 --port 8000 srv:app",
        "/venv/bin/uvicorn --header Server:mine srv:app",
        f"{BENTO_WORKER} srv:app --fd 3 --worker-id 1 --args {{}}",
        f"{BENTO_WORKER} srv:app --fd 4 --worker-id 2 --args {{}}",
        "/venv/bin/litserve srv:app --port=9",
    ],
    ids=[
        "uvicorn", "uvicorn as a module", "gunicorn", "gunicorn preloading", "hypercorn", "granian", "a header",
        "first worker of BentoML", "second worker of BentoML", "an option with its value",
    ],
)  # fmt: skip
def test_servers_of_the_same_import_string_in_the_same_place_serve_the_same(line: str) -> None:
    assert served(line) == "srv:app in /srv/shop"


@pytest.mark.parametrize("word", ["shop.main:app", "shop.main:create()", "asgi:shop.main:app", "größe:app", "wsgi:app"])
def test_an_import_string_is_recognised(word: str) -> None:
    assert served(f"/venv/bin/server --workers 4 {word}") == f"{word} in /srv/shop"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/bin/uvicorn srv:app", "/bin/uvicorn srv:other"),
        ("/bin/uvicorn srv:app --app-dir a", "/bin/uvicorn srv:app --app-dir b"),
        ("/bin/gunicorn -c shop.py", "/bin/gunicorn -c bank.py"),
        (f"{BENTO_WORKER} srv:S --service-name Front", f"{BENTO_WORKER} srv:S --service-name Back"),
        ("/bin/vllm serve llama --port 1", "/bin/vllm serve qwen --port 1"),
        ("/bin/mlserver start shop", "/bin/mlserver start bank"),
        ("/bin/fastapi run --reload shop.py", "/bin/fastapi run --reload bank.py"),
        ("shop.py", "bank.py"),
    ],
    ids=["import string", "directory", "settings file", "service", "model", "directory of models", "file", "script"],
)
def test_two_applications_are_told_apart(one: str, other: str) -> None:
    assert served(one) != served(other)


def test_the_same_words_elsewhere_are_another_application() -> None:
    assert served("/bin/uvicorn srv:app", cwd="/srv/a") != served("/bin/uvicorn srv:app", cwd="/srv/b")


@pytest.mark.parametrize(
    "arguments",
    ["", "8000", "--port 8000", "0.0.0.0:8000", "--workers=4 localhost:8000", "--fd 7 0x1f", "[::1]"],
)  # fmt: skip
def test_where_a_script_serves_says_nothing_of_what(arguments: str) -> None:
    assert served(f"serve.py {arguments}") == "/srv/shop/serve.py in /srv/shop"


def test_a_script_is_the_same_by_whatever_path_it_was_called() -> None:
    assert served("./serve.py") == served("/srv/shop/serve.py")


def test_a_process_without_a_command_line_is_known_by_its_place() -> None:
    assert application_of([], cwd="/srv/shop", environ={}) == " in /srv/shop"


def test_the_wrapped_app_is_what_is_served() -> None:
    line = "/bin/uvicorn dashlight.wrap:app --workers 4"

    assert served(line, DASHLIGHT_APP=" shop:app ") == "shop:app in /srv/shop"


def test_each_model_of_mlflow_is_an_application() -> None:
    line = "/bin/uvicorn --workers 2 mlflow.pyfunc.scoring_server.app:app"

    assert served(line, __pyfunc_model_path__="/models/a") != served(line, __pyfunc_model_path__="/models/b")


def test_what_an_adapter_says_counts_for_more_than_the_command_line() -> None:
    found = application_of(["worker", "a:b"], cwd="/srv", environ={"DASHLIGHT_APP": "c:d"}, name="Iris")

    assert found == "Iris in /srv"


@pytest.mark.parametrize(
    "environ",
    [
        {"OTEL_SERVICE_NAME": "fraud"},
        {"OTEL_RESOURCE_ATTRIBUTES": "a=b, service.name=fraud ,c"},
        {"OTEL_SERVICE_NAME": "fraud", "OTEL_RESOURCE_ATTRIBUTES": "service.name=other"},
        {"OTEL_RESOURCE_ATTRIBUTES": "service.name=%66raud"},
    ],
    ids=["its own variable", "among others", "both", "percent-encoded"],
)
def test_the_name_of_the_service_counts_for_most(environ: dict[str, str]) -> None:
    assert application_of(["x", "a:b"], cwd="/srv", environ=environ) == "fraud"
    assert application_of(["x", "a:b"], cwd="/srv", environ=environ, name="Iris") == "fraud Iris"
