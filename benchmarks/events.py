"""What a sampled event costs: `python -m benchmarks.events`; CPU of all threads, in microseconds.

The same traffic with an event of no exchange and of every one, without payload and with features, in slices taken in
turn. An event costs what its variant takes more than the one without; the ratio is that to all the rest of the
monitoring, which hangs less on the machine. Exit status 1 where an event was lost, so that its cost was not measured.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks.overhead import RUN, machine, reference_of_the_traffic
from benchmarks.overhead_slices import NoResultError, added_by_variant
from benchmarks.sink import running_sink
from benchmarks.variants import variants

TARGET_US = 40.0
_NONE, _KINDS = "events-none", ("events-off", "events-features")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints a line for each kind of event."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11, help="slices of every variant (at least 9 for a result)")
    asked = parser.parse_args(arguments)
    RUN.mkdir(exist_ok=True)
    print(machine(), flush=True)
    with running_sink() as sink:
        reference = reference_of_the_traffic()
        known = variants(sink, reference)
        try:
            added = added_by_variant(known, [_NONE, *_KINDS], sink=sink, reference=reference, rounds=asked.rounds)
        except NoResultError as error:
            print(f"NO RESULT  {error}")
            return 1
    base = added[_NONE]
    print(f"{'':10} {'min us':>8} {'median us':>10} {'to the rest of the monitoring':>30}")
    for kind in _KINDS:
        least, usual = added[kind].min_us - base.min_us, added[kind].median_us - base.median_us
        verdict = "ok" if least <= TARGET_US else "MISSED"
        print(f"{verdict:10} {least:8.1f} {usual:10.1f} {least / base.min_us:30.2f}  {known[kind].does}")
    print(f"{'':10} {base.min_us:8.1f} {base.median_us:10.1f} {1:30.2f}  the rest: {known[_NONE].does}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
