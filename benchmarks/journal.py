"""What it costs to keep a journal of what was counted, so that it outlives the process.

    python -m benchmarks.journal

CPU of one process that writes its journal once a round, as the analysis thread does: by round, and by request where so many
come in a second. The endpoints all have exchanges in the pane.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median

from dashlight.counting.remains import Uncounted
from dashlight.metrics.accounts import Account
from dashlight.metrics.losses import INBOX_FULL
from dashlight.records import Outcome
from dashlight.workers.journal import Journal
from dashlight.workers.own_journal import OwnJournal

ROUNDS, REPEATS = 400, 7
ROUNDS_A_SECOND = 4.0
"""Of the analysis thread, where nothing wakes it."""
MOST_SECONDS_A_REQUEST = 1e-6
USUAL_REQUESTS_A_SECOND = 1_000.0


def round_seconds(directory: Path, *, endpoints: int) -> float:
    """CPU of one writing, where so many endpoints were asked."""
    journal = OwnJournal(Journal(directory, "1.a"), "1.a")
    times: list[float] = []
    number = 0
    for _ in range(REPEATS):
        began = time.thread_time()
        for _ in range(ROUNDS):
            number += 1
            outcomes: dict[Outcome, int] = {"ok": number, "refused": 3, "error": 1}
            requests = {f"/models/{place}/predict": outcomes for place in range(endpoints)}
            account = Account(number, delivered=number - 3, dropped={"expired": 1}, queued=2)
            accounts = {"events": account, "spans": account, "metrics": account}
            journal.note(Uncounted(requests, {INBOX_FULL: 1}), accounts)
        times.append((time.thread_time() - began) / ROUNDS)
    journal.end({})
    return median(times)


def main() -> int:
    """Prints the costs; 1 where they are above what is promised."""
    worst = 0.0
    for endpoints in (1, 5, 33):
        with tempfile.TemporaryDirectory() as directory:
            seconds = round_seconds(Path(directory), endpoints=endpoints)
        worst = max(worst, seconds * ROUNDS_A_SECOND / USUAL_REQUESTS_A_SECOND)
        told = ", ".join(
            f"{1e6 * seconds * ROUNDS_A_SECOND / rate:.2f} us a request at {rate:,.0f} a second" for rate in (100, 1000)
        )
        print(f"{endpoints:3} endpoints: {1e6 * seconds:5.0f} us a round; {told}")
    print(f"share of one core, four rounds a second: {100 * worst * USUAL_REQUESTS_A_SECOND:.3f} %")
    return int(worst > MOST_SECONDS_A_REQUEST)


if __name__ == "__main__":
    raise SystemExit(main())
