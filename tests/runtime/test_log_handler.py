"""What is seen of our lines, and how often, whoever configures logging and when: each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

PRELUDE = """
import logging, sys
from dashlight.runtime.log_handler import speak_up, withdraw
ours = logging.getLogger("dashlight.part")
"""
AS_BENTOML = """
class TraceRecordFilter(logging.Filter):
    __module__ = "bentoml._internal.log"
handler = logging.StreamHandler()
handler.addFilter(TraceRecordFilter())
handler.setFormatter(logging.Formatter("server %(message)s"))
logging.getLogger().addHandler(handler)
"""
OWN_HANDLER = """
speak_up()
handler = logging.StreamHandler()
handler.setFormatter(logging.Formatter("own %(message)s"))
logging.getLogger("dashlight").addHandler(handler)
ours.error("x")
ours.error("y")
"""


def said(script: str) -> list[str]:
    """The lines of ours on standard error, without their dates."""
    done = subprocess.run([sys.executable, "-c", PRELUDE + script], capture_output=True, text=True, check=True)
    return [line.partition("dashlight: ")[2] or line for line in done.stderr.splitlines()]


@pytest.mark.parametrize(
    ("script", "lines"),
    [
        ("speak_up(); speak_up(); ours.info('one %s', 'line')", ["one line"]),
        ("ours.info('before'); speak_up(); ours.debug('details'); ours.error('two')", ["two"]),
        ("logging.getLogger().setLevel('INFO'); speak_up(); ours.info('as granian does')", ["as granian does"]),
        ("logging.basicConfig(format='app %(message)s'); speak_up(); ours.info('hidden'); ours.error('x')", ["app x"]),
        ("speak_up(); logging.basicConfig(format='app %(message)s'); ours.error('x')", ["app x"]),
        (
            "speak_up(); logging.basicConfig(format='app %(message)s'); withdraw(); ours.info('hidden'); ours.error('x')",
            ["app x"],
        ),
        (
            "speak_up(); logging.basicConfig(format='app %(message)s', level='INFO'); ours.info('x'); withdraw(); ours.info('y')",
            ["app x", "app y"],
        ),
        ("logging.getLogger('dashlight').addHandler(logging.NullHandler()); speak_up(); ours.error('x')", []),
        ("logging.getLogger('dashlight').propagate = False; speak_up(); ours.info('x')", []),
        ("logging.getLogger('dashlight').setLevel('ERROR'); speak_up(); ours.warning('x'); ours.error('y')", ["y"]),
        ("logging.getLogger('uvicorn').addHandler(logging.StreamHandler()); speak_up(); ours.info('x')", ["x"]),
        ("speak_up(); withdraw(); ours.info('still')", ["still"]),
        (f"{AS_BENTOML}speak_up(); ours.info('x'); ours.error('y')", ["server x", "server y"]),
        (
            f"{AS_BENTOML}speak_up(); logging.basicConfig(force=True, format='app %(message)s'); withdraw(); ours.info('x')",
            [],
        ),
        (f"speak_up()\n{AS_BENTOML}ours.info('x'); ours.error('y')", ["server x", "server y"]),
        (
            OWN_HANDLER,
            ["own x", "own y"],
        ),
    ],
    ids=[
        "nobody configured anything",
        "details stay hidden",
        "a level without a handler",
        "the app before",
        "the app after",
        "the app after, at its level",
        "the app after, at INFO",
        "a handler of nothing",
        "no propagation",
        "a level of ours that somebody set",
        "handlers of others",
        "nothing changed",
        "BentoML's handler",
        "BentoML's handler, and then the app's",
        "BentoML's handler, later",
        "a handler of ours that somebody added",
    ],
)
def test_every_line_is_seen_once_where_the_app_wants_it(script: str, lines: list[str]) -> None:
    assert said(script) == lines


def test_a_stream_that_is_closed_costs_the_line_alone() -> None:
    script = "speak_up(); logging.raiseExceptions = False; sys.stderr.close(); ours.info('x'); print('on')"

    done = subprocess.run([sys.executable, "-c", PRELUDE + script], capture_output=True, text=True, check=True)

    assert done.stdout == "on\n"
