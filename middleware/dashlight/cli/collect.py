"""`dashlight collect`: a small collector for development, which prints or saves what arrives."""

import argparse
import ipaddress
import re
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, TextIO, cast

import msgspec

from dashlight.cli.subparsers import Subparsers
from dashlight.collector.received import Item
from dashlight.collector.server import Collector
from dashlight.deliver.encoding.ndjson import json_value

# Attributes that distinguish events at a glance.
_TELLING = ("dashlight.alert.state", "http.route", "http.response.status_code", "dashlight.outcome")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def register(subparsers: Subparsers) -> None:
    """Adds the command `collect`."""
    parser = subparsers.add_parser(
        "collect",
        help="receive spans, events and metrics, for development",
        description="Receive OTLP over HTTP (traces, logs and metrics, as protobuf or JSON) and lines of JSON, and"
        " print what arrives, or append it to a file. Stop it with Ctrl-C or SIGTERM; it then prints how much arrived.",
    )
    parser.add_argument(
        "--listen", default="127.0.0.1:4318", metavar="HOST:PORT", help="where to listen; port 0: any (%(default)s)"
    )
    parser.add_argument("--output", metavar="FILE", help="append items as JSON lines to FILE instead of printing them")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how to print items (%(default)s)")
    parser.add_argument("--quiet", action="store_true", help="do not print items")
    parser.add_argument("--allow-remote", action="store_true", help="allow an address that other machines can reach")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Listens until it is interrupted; returns 0, or 2 if it cannot listen or write there."""
    try:
        host, port = listen_address(arguments.listen, allow_remote=arguments.allow_remote)
        writer = ItemWriter(
            output=Path(arguments.output) if arguments.output else None,
            show=None if arguments.quiet else {"text": as_text, "json": as_json}[arguments.format],
        )
        collector = Collector(host, port, writer)
    except (ValueError, OSError) as error:
        print(f"dashlight collect: {error}", file=sys.stderr)
        return 2
    with suppress(KeyboardInterrupt):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _interrupt)
        print(f"listening on {collector.url}", flush=True)
        collector.serve_forever(poll_interval=0.1)
    collector.server_close()
    writer.close()
    print(f"received {writer.tally()}", flush=True)
    return 0


class ItemWriter:
    """Prints items or appends them to a file, and counts them."""

    def __init__(
        self, *, output: Path | None = None, show: Callable[[Item], str] | None = None, screen: TextIO = sys.stdout
    ) -> None:
        self._file = output.open("a", encoding="utf-8") if output is not None else None
        self._show = as_json if output is not None else show
        self._stream = self._file or screen
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def put(self, items: Sequence[Item]) -> None:
        """Writes *items*, and flushes them before it returns."""
        text = "".join(f"{self._show(item)}\n" for item in items) if self._show is not None else ""
        with self._lock:
            self._stream.write(text)
            self._stream.flush()
            self._counts.update(item["kind"] for item in items)

    def refuse(self) -> None:
        """Counts a request that was refused."""
        with self._lock:
            self._counts["refused"] += 1

    def tally(self) -> str:
        """How much arrived, in words."""
        kinds = ", ".join(f"{self._counts[kind]} {kind}s" for kind in ("span", "event", "metric"))
        return f"{kinds}; refused {self._counts['refused']} requests"

    def close(self) -> None:
        """Closes the file, once pending writes have finished."""
        with self._lock:
            if self._file is not None:
                self._file.close()


def listen_address(text: str, *, allow_remote: bool) -> tuple[str, int]:
    """(host, port) of `HOST:PORT`.

    Raises:
        ValueError: not of that form, or an address that other machines can reach without *allow_remote*.
    """
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"--listen {text!r}: expected HOST:PORT")
    if not allow_remote and not _is_loopback(host):
        raise ValueError(f"--listen {text!r}: other machines could reach it; to allow that, add --allow-remote")
    return host, int(port)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def as_json(item: Item) -> str:
    """*item* as one line of JSON."""
    return msgspec.json.encode(json_value(cast("Any", item))).decode()


def as_text(item: Item) -> str:
    """*item* as one line for people, without control characters."""
    clock = _clock(item.get("started_at", item.get("at")))
    words = {"span": _span_words, "event": _event_words, "metric": _metric_words}[item["kind"]](item)
    return _CONTROL.sub("\ufffd", f"{clock} {item['kind']:6} {words}").rstrip()


def _clock(at: object) -> str:
    """The time of day as HH:MM:SS; dashes if *at* is not a time, for lines of JSON may hold anything there."""
    try:
        return time.strftime("%H:%M:%S", time.localtime(cast("float", at)))
    except (TypeError, ValueError, OverflowError, OSError):
        return "--:--:--"


def _span_words(span: Item) -> str:
    answer = span["attributes"].get("http.response.status_code", "")
    return (
        f"{span['name']}  {answer} {span['status']}  {span['duration_seconds'] * 1e3:.1f} ms  trace {span['trace_id']}"
    )


def _event_words(event: Item) -> str:
    found = event.get("attributes")
    attributes = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    said = [str(attributes[name]) for name in _TELLING if name in attributes]
    return "  ".join([str(event.get("name", "")), *said, str(event.get("body") or "")]).rstrip()


def _metric_words(metric: Item) -> str:
    amount = metric["value"] if "value" in metric else f"{metric['count']} values, sum {metric['sum']}"
    labels = ", ".join(f"{name}={value}" for name, value in metric["attributes"].items())
    return f"{metric['name']}{{{labels}}} {amount} {metric['unit']}".rstrip()
