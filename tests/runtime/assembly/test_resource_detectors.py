"""Resource detectors, those of the SDK and those of other packages."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dashlight.runtime.assembly.resource_detectors import detected_attributes

MODULE = """
import time
from opentelemetry.sdk.resources import Resource, ResourceDetector

class Cloud(ResourceDetector):
    def detect(self):
        return Resource({"cloud.region": "north", "process.pid": 1})

class Hangs(ResourceDetector):
    def detect(self):
        time.sleep(60)

class Fails(ResourceDetector):
    def detect(self):
        raise StopIteration
"""
POINTS = """
[opentelemetry_resource_detector]
cloud = odd_detectors:Cloud
hangs = odd_detectors:Hangs
fails = odd_detectors:Fails
"""


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that offers three detectors."""
    (tmp_path / "odd_detectors.py").write_text(MODULE)
    described = tmp_path / "odd_detectors-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-detectors\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text(POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))


def detect(names: str) -> dict[str, object]:
    return dict(detected_attributes({"OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": names}, seconds=0.2))


@pytest.mark.parametrize("names", ["", "otel", "otel, service_instance"])
def test_what_is_done_in_any_case_is_not_done_again(names: str) -> None:
    assert detect(names) == {}


def test_detectors_are_asked_in_turn_and_later_ones_win() -> None:
    assert detect("process")["process.pid"] == os.getpid()
    assert detect("process,cloud")["process.pid"] == 1
    assert detect("cloud,process")["cloud.region"] == "north"


def test_detectors_that_fail_hang_or_are_absent_are_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    found = detect("fails,gcp,hangs,cloud")

    (record,) = caplog.records
    assert found["cloud.region"] == "north"
    assert record.message == (
        "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS: fails fails (StopIteration: ); no installed package offers gcp; "
        "hangs took longer than 0.2 s; the others are used"
    )


def test_a_star_means_all_that_are_installed() -> None:
    found = detect("*")

    assert {"cloud.region", "process.pid"} <= found.keys()
