"""`dashlight check --send`: real attempts, with what says of itself that it is a test."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from dashlight.cli.checks.observation import Observation
from dashlight.cli.checks.reach import asked, judged
from dashlight.cli.checks.sample import SampleRun
from dashlight.clock import SystemClock
from dashlight.deliver.alerting.document import AlertContext
from dashlight.deliver.alerting.sample import sample_notice
from dashlight.deliver.transport.http import HttpSender
from dashlight.runtime.assembly.requested import Requested

ONLY_BY_NAME = frozenset({"pagerduty", "command"})
"""What wakes people or starts something: tried only where it is asked for by name."""
_SENT_AS = "dashlight-check"


def sent_findings(destinations: Requested, run: SampleRun, *, named: Collection[str]) -> Iterator[Observation]:
    """Sends the sample of *run* to the collectors, and a test notice, and its end, to the routes for alerts."""
    kinds = {endpoint.url: kind for kind, endpoint in destinations.destinations}
    for request in run.requests:
        endpoint = request.endpoint
        answer = asked(endpoint, request.body, content_type=request.content_type, key=_SENT_AS)
        is_otlp = request.content_type == "application/x-protobuf"
        kind = f"{kinds.get(endpoint.url, 'events')}, sent"
        yield judged(kind, endpoint, answer, speaks_otlp=is_otlp, sent=True)
    if destinations.routes is None:
        return
    clock = SystemClock()
    context = AlertContext(_SENT_AS, _SENT_AS, destinations.settings.trace_url)
    for route in destinations.routes.routes(context, clock=clock, connect=HttpSender, tries=_AlwaysFirst()):
        kind = route.name.partition(" ")[0]
        if kind in ONLY_BY_NAME - set(named):
            yield Observation("ok", f"{route.name}, not sent", f"tried with --send {kind} alone")
            continue
        notice = sample_notice(clock.now())
        try:
            verdicts = [route.deliver(notice), route.deliver(replace(notice, transition="resolved", at=clock.now()))]
        except Exception as mistake:
            yield Observation("wrong", f"{route.name}, sent", f"{type(mistake).__name__}: {mistake}")
            continue
        finally:
            route.close()
        failed = [each for each in verdicts if each.outcome != "delivered"]
        if failed:
            yield Observation("wrong", f"{route.name}, sent", f"a test was not taken: {failed[0].reason}")
        else:
            yield Observation("ok", f"{route.name}, sent", "took a test, and its end")


class _AlwaysFirst:
    """Every try is the first: a test may be repeated."""

    def begin(self, identifier: str, /) -> int:  # noqa: ARG002 - as Tries has it
        return 1

    def finish(self, identifier: str, /) -> None:
        """Nothing to remember."""
