"""The process in which atheris mutates bodies; started by benchmarks.fuzz_decode.

    python -m benchmarks.fuzz_worker FINDINGS CORPUS -max_total_time=60

Whatever breaks a promise is written to the directory FINDINGS, and the search goes on.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from zlib import crc32

import atheris

with atheris.instrument_imports(include=["dashlight.decode"]):
    from benchmarks.fuzz_inputs import USUAL, parts_of
    from benchmarks.fuzz_limits import median_seconds_per_byte, quick_fault_of

_MOST = 200
"""Findings that are kept."""
_told: dict[str, int] = {}


def look(seed: bytes, findings: Path, usual_per_byte: float) -> None:
    """Decodes what *seed* stands for."""
    fault = quick_fault_of(parts_of(seed), usual_per_byte=usual_per_byte)
    # One of a kind is enough, and of slow ones a few: which is slow without instruments shows later.
    kind = fault.rstrip("0123456789 msMB") if fault.endswith(("ms", "MB")) else fault
    if fault and sum(_told.values()) < _MOST and _told.get(kind, 0) < (40 if fault.endswith("ms") else 1):
        _told[kind] = _told.get(kind, 0) + 1
        name = f"{crc32(kind.encode()):08x}-{hashlib.sha256(seed).hexdigest()[:12]}"
        (findings / name).write_bytes(seed)


def main() -> None:
    """Runs until libFuzzer has had enough."""
    findings = Path(sys.argv[1])
    usual = median_seconds_per_byte(USUAL)
    atheris.Setup([sys.argv[0], *sys.argv[2:]], lambda seed: look(seed, findings, usual))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
