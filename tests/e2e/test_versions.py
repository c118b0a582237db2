"""The whole way from training data to an alert, with the lowest versions that pyproject.toml allows and the newest."""

from __future__ import annotations

import csv
import os
import random
import subprocess
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
EXTRAS = ("cli", "encodings", "parquet", "prometheus")
# FastAPI 0.99 is the last on pydantic 1 alone, and on Starlette 0.27.
LOWEST_APP = ("fastapi==0.99.1", "pydantic<2", "uvicorn==0.29.0")
NEWEST_APP = ("fastapi", "uvicorn")
BEFORE, AFTER = 400, 400
CONVERSION = "import sys, pyarrow.csv as c, pyarrow.parquet as p; p.write_table(c.read_csv(sys.argv[1]), sys.argv[2])"
TOKEN = "the-token-of-this-test"


def requirements() -> list[Requirement]:
    """What the package needs, and its extras that are used here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    told = [*project["dependencies"], *(each for extra in EXTRAS for each in project["optional-dependencies"][extra])]
    # An extra that takes another along names the package itself.
    return [each for each in map(Requirement, told) if each.name != project["name"]]


def lowest(requirement: Requirement) -> str:
    """The lowest version that *requirement* allows."""
    (floor,) = [each.version for each in requirement.specifier if each.operator == ">="]
    return floor


@pytest.fixture(scope="module", params=["lowest", "newest"])
def python(request: pytest.FixtureRequest, environment: Callable[[str, Sequence[str]], Path]) -> Path:
    """Of an environment with these versions; the newest are those of the day on which it was made."""
    if request.param == "lowest":
        # As `--resolution lowest-direct` does, which pip does not have.
        return environment("lowest", [*(f"{each.name}=={lowest(each)}" for each in requirements()), *LOWEST_APP])
    return environment("newest", [*(each.name for each in requirements()), *NEWEST_APP])


@pytest.fixture
def reference(python: Path, tmp_path: Path) -> Path:
    """Made by the command in that environment, of a Parquet file."""
    training, parquet, built = (tmp_path / name for name in ("train.csv", "train.parquet", "reference.json"))
    with training.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["age", "city", "price"])
        table.writerows([row["age"], row["city"], 2 * row["age"]] for row in people(3_000, seed=1))
    said_by(python, "-c", CONVERSION, training, parquet)
    said_by(
        python, "-m", "dashlight.cli.main", "reference", "build", parquet, "--prediction", "price", "--output", built
    )
    return built


def people(count: int, *, seed: int, older: float = 0.0) -> Iterator[dict[str, Any]]:
    chance = random.Random(seed)
    for _ in range(count):
        yield {"age": round(chance.gauss(40 + older, 10), 3), "city": chance.choice(["Bari", "Lund", "Graz"])}


def said_by(*command: str | Path) -> str:
    """What *command* prints, without a path to the packages of the tests."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_app_is_watched_to_its_alert(
    python: Path, hosted: Callable[..., Any], collector: Any, reference: Path
) -> None:
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_SERVICE_NAME": "prices",
        "DASHLIGHT_REFERENCE": str(reference),
        "DASHLIGHT_SAMPLE_RATE": "1",
        "DASHLIGHT_PAYLOADS": "features",
        "DASHLIGHT_PANE": "500ms",
        "DASHLIGHT_CPU": "100%",
        "DASHLIGHT_METRICS": "true",
        "DASHLIGHT_TOKEN": TOKEN,
        "DASHLIGHT_STRICT": "true",
    }
    rows = [*people(BEFORE, seed=2), *people(AFTER, seed=3, older=20)]

    with (
        hosted(python, ["uvicorn", "priced:app", "--port", "{port}"], environ) as server,
        httpx.Client(base_url=server.url, trust_env=False) as client,
    ):
        prices = [client.post("/models/houses/predict", json=row).json()["price"] for row in rows]
        refused = client.post("/models/houses/predict", json={"age": "old"})
        (alert, *_) = collector.wait_until("event", lambda events: [each for each in events if is_firing(each)])
        page = client.get("/dashlight/metrics", headers={"x-dashlight-token": TOKEN})

    events = [each for each in collector.items("event") if each["name"] == "dashlight.prediction"]
    assert prices == [pytest.approx(2 * row["age"]) for row in rows]
    assert refused.status_code == 422
    assert [each["attributes"]["dashlight.inputs"] for each in events[:-1]] == rows
    assert {each["attributes"]["http.route"] for each in events} == {"/models/{name}/predict"}
    assert len(collector.wait_for("span", len(events))) == len(events) == len(rows) + 1
    assert alert["attributes"]["dashlight.column.name"] in {"age", "price"}
    assert "dashlight_requests_total" in page.text
    assert "Traceback" not in server.log.read_text()


def is_firing(event: dict[str, Any]) -> bool:
    state: str = event["attributes"].get("dashlight.alert.state", "")
    return state == "firing"


BODIES = {
    "another shape": (b'{"age": "forty", "new": 1}', "application/json", {"age": "forty", "new": 1}),
    "NaN": (b'{"age": NaN, "town": "Bari"}', "application/json", {"age": "NaN", "town": "Bari"}),
    "empty cells": (b"age,city\n1,\n", "text/csv", {"age": 1, "city": None}),
    "no JSON": (b"{age}", "application/json", "invalid_json"),
    "a key that cannot be one": (b"\x81\xd4\x01\x00\x01", "application/msgpack", "invalid_body"),
    "no msgpack": (b"\x81\xc1", "application/msgpack", "invalid_body"),
}
"""Body, media type, and the row or the reason why there is none."""


def test_bodies_that_a_parser_refuses_are_read_otherwise_or_said_to_be_undecodable(
    python: Path, hosted: Callable[..., Any], collector: Any
) -> None:
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "DASHLIGHT_SAMPLE_RATE": "1",
        "DASHLIGHT_PAYLOADS": "features",
    }

    with (
        hosted(python, ["uvicorn", "priced:app", "--port", "{port}"], environ) as server,
        httpx.Client(base_url=server.url, trust_env=False) as client,
    ):
        for row in people(40, seed=4):
            # So many of one shape are read by a parser that was made for it.
            client.post("/raw", json=row)
        collector.wait_for("event", 40)
        for body, media_type, _ in BODIES.values():
            client.post("/raw", content=body, headers={"content-type": media_type})

    events = [each["attributes"] for each in collector.items("event") if each["name"] == "dashlight.prediction"][40:]
    told = [each.get("dashlight.inputs") or each["dashlight.undecoded"] for each in events]
    assert dict(zip(BODIES, told, strict=True)) == {name: wanted for name, (_, _, wanted) in BODIES.items()}


def test_the_versions_are_those_that_are_promised(python: Path) -> None:
    names = [each.name for each in requirements()]

    said = said_by(python, "-c", f"import importlib.metadata as m; print(*map(m.version, {names}))")

    found = dict(zip(names, said.split(), strict=True))
    assert all(each.specifier.contains(found[each.name]) for each in requirements())
    is_lowest = [Version(found[each.name]) == Version(lowest(each)) for each in requirements()]
    assert is_lowest == [python.parents[1].name.startswith("lowest-")] * len(names)
