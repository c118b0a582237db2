"""The search for state files by the code that they reach; started by benchmarks.fuzz_state --guided.

python -m benchmarks.fuzz_state_guided SECONDS
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["dashlight.store", "dashlight.counting", "dashlight.window.reference"]):
    from benchmarks.fuzz_state import fault_of, prepare
    from benchmarks.fuzz_state_files import kinds

from dashlight.store.frozen import Part, sealed, unsealed

_SLOWNESS = 20.0
"""Instruments take time."""


def main() -> None:
    """Searches until libFuzzer has had enough; its status is not 0 where a fault was found."""
    prepare()
    held = [(kind, unsealed(kind.file)[0]) for kind in kinds().values() if kind.is_state]

    def look(seed: bytes) -> None:
        kind, part = held[(seed[:1] or b"\0")[0] % len(held)]
        blob = b"".join(sealed([Part(part.name, part.version, seed[1:], part.arrays)]))
        fault = fault_of(kind, blob, slowness=_SLOWNESS)
        if fault:
            raise RuntimeError(fault)

    with tempfile.TemporaryDirectory() as corpus:
        for place, (_, part) in enumerate(held):
            (Path(corpus) / f"seed-{place}").write_bytes(bytes([place]) + bytes(part.body))
        limits = [f"-max_total_time={sys.argv[1]}", "-max_len=65536", "-rss_limit_mb=2048", "-len_control=0"]
        atheris.Setup([sys.argv[0], corpus, *limits], look)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
