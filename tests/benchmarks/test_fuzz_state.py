"""Whatever stands in a state file with a checksum that fits, it is refused or read, quickly and in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random

import pytest
from benchmarks.fuzz_state import fault_of
from benchmarks.fuzz_state_files import Kind, kinds
from benchmarks.fuzz_state_mutations import mutated

from dashlight.errors import StateError

NAMES = ["pane", "briefing", "figures", "rows", "checkpoint", "reference"]
SLOWNESS = 4.0
"""The machine that runs the tests may be busy; the benchmark has no such patience."""


@pytest.fixture(scope="module")
def all_kinds() -> Mapping[str, Kind]:
    return kinds()


def test_every_kind_of_file_is_searched(all_kinds: Mapping[str, Kind]) -> None:
    assert sorted(all_kinds) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_valid_file_is_read_and_used(all_kinds: Mapping[str, Kind], name: str) -> None:
    kind = all_kinds[name]

    assert kind.read(kind.file) is not None
    assert fault_of(kind, kind.file, slowness=SLOWNESS) == ""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_no_changed_file_is_neither_read_nor_refused(all_kinds: Mapping[str, Kind], name: str) -> None:
    random = Random(7)
    blobs = [mutated(all_kinds[name], random) for _ in range(200)]

    assert [fault for blob in blobs if (fault := fault_of(all_kinds[name], blob, slowness=SLOWNESS))] == []


def test_faults_are_told(all_kinds: Mapping[str, Kind]) -> None:
    def fails(_: object) -> object:
        raise KeyError("gone")

    def refuses(_: object) -> object:
        raise StateError("corrupt", "no")

    kind = all_kinds["figures"]
    assert fault_of(replace(kind, read=fails), b"").startswith("read: KeyError at test_fuzz_state.py:")
    assert fault_of(replace(kind, use=fails), kind.file).startswith("used: KeyError at test_fuzz_state.py:")
    assert fault_of(replace(kind, read=refuses), b"") == ""
    assert fault_of(replace(kind, read=lambda _: sum(range(10_000_000))), b"", slowness=0.5).startswith("read in ")
    assert fault_of(replace(kind, read=lambda _: [0] * 5_000_000 and None), b"").endswith(" MB for 0 bytes")
