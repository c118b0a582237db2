from __future__ import annotations

import ctypes
import platform
import subprocess
import sys

import pytest

from dashlight.runtime.freed_memory import SLACK_BYTES, FreedMemory


def test_it_is_looked_for_where_resident_memory_has_grown_since_it_last_was() -> None:
    sizes = [100, 100 + SLACK_BYTES, 101 + SLACK_BYTES, 50, 51 + SLACK_BYTES, 70]
    trims: list[int] = []
    freed = FreedMemory(resident_bytes=lambda: sizes.pop(0), trim=lambda: trims.append(len(sizes)))

    for _ in range(3):
        freed.give_back()

    assert (trims, sizes) == ([3, 1], [])


IN_PIECES = """
import gc
from dashlight.runtime.freed_memory import FreedMemory, _resident_bytes

freed = FreedMemory()
held = [bytes(50_000) for _ in range(2_000)]
kept = held[::100]
del held
gc.collect()
before = _resident_bytes()
freed.give_back()
print(before - _resident_bytes())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc alone keeps what was freed")
def test_what_was_freed_in_pieces_goes_back_to_the_system() -> None:
    assert hasattr(ctypes.CDLL(None), "malloc_trim")

    given_back = subprocess.run([sys.executable, "-c", IN_PIECES], capture_output=True, text=True, check=True).stdout

    assert int(given_back) > 50_000_000
