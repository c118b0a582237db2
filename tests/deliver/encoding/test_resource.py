from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from opentelemetry.sdk.version import __version__ as sdk_version

from dashlight.deliver.encoding.resource import resource_attributes

SCRIPT = """
import json
from opentelemetry.sdk.resources import Resource
print(json.dumps(dict(Resource.create().attributes)))
"""
CASES: dict[str, Mapping[str, str]] = {
    "nothing said": {},
    "a service": {"OTEL_SERVICE_NAME": "fraud"},
    "service name before attributes": {
        "OTEL_SERVICE_NAME": "fraud",
        "OTEL_RESOURCE_ATTRIBUTES": "service.name=other,deployment.environment.name=prod",
    },
    "percent-encoded": {"OTEL_RESOURCE_ATTRIBUTES": "team=a%2Cb%3Dc, k%20v = x y "},
    "malformed": {"OTEL_RESOURCE_ATTRIBUTES": "nonsense,,=x,a=1,b==2,service.name=,a=3"},
    "an instance of their own": {"OTEL_RESOURCE_ATTRIBUTES": "service.instance.id=pod-7"},
}


@pytest.mark.parametrize("environ", CASES.values(), ids=CASES.keys())
def test_the_resource_is_the_one_that_the_sdk_would_make(environ: Mapping[str, str]) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    made = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT],
        env={**inherited, **environ},
        check=True,
        capture_output=True,
        text=True,
    )
    by_the_sdk = json.loads(made.stdout)

    found = resource_attributes(
        environ,
        instance_id=by_the_sdk["service.instance.id"],
        sdk_version=sdk_version,
        executable=Path(sys.executable).name,
    )

    assert found == by_the_sdk


def test_what_the_environment_says_wins_over_what_is_detected() -> None:
    found = resource_attributes(
        {"OTEL_SERVICE_NAME": "fraud"},
        instance_id="i",
        sdk_version="1",
        detected={"host.name": "m7", "process.pid": 7, "service.name": "other"},
    )

    assert (found["host.name"], found["process.pid"], found["service.name"]) == ("m7", 7, "fraud")


def test_without_an_executable_the_service_is_plainly_unknown() -> None:
    assert resource_attributes({}, instance_id="i", sdk_version="1")["service.name"] == "unknown_service"


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({}, "Prices"),
        ({"OTEL_SERVICE_NAME": ""}, "Prices"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=,team=a"}, "Prices"),
        ({"OTEL_SERVICE_NAME": "shop"}, "shop"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "team=a,service.name=shop"}, "shop"),
    ],
)
def test_a_service_has_the_name_of_its_server_unless_the_environment_names_it(
    environ: Mapping[str, str], name: str
) -> None:
    found = resource_attributes(environ, instance_id="i", sdk_version="1", executable="python", service="Prices")

    assert found["service.name"] == name
