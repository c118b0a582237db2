"""What a person typed is found in nothing that leaves: events, spans, metrics, log, state, learned references."""

from __future__ import annotations

import gzip
import json
import re
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from hashlib import blake2b, md5, sha1, sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import numpy as np
import pytest

from dashlight.cli.main import main
from dashlight.settings import Settings
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.file import dump

APPS = Path(__file__).parents[1] / "apps"
PATIENCE_SECONDS = 60.0
NAMES = [
    f"{first} {last}"
    for first in ("Marzanna", "Zbigniew", "Eulalia")
    for last in ("Kowalczyk", "Ostrowski", "Wronska", "Tutaj")
]
LATER_NAMES = ["Perpetua Quisling", "Ozwald Thackeray", "Xenophon Biedermeier"]
CITIES = ["Quedlinburg", "Wolfenbuettel", "Pfaffenhofen"]
PARTICULARS = {
    "mail": "eulalia.wronska@canary.example",
    "card": "4929 1234 5678 9014",
    "iban": "DE89370400440532013000",
    "phone": "+48 601 733 912",
    "aws": "AKIAQ3EGUXW7CANARYQX",
    "openai": "sk-canaryQ7w8E9r0T1y2U3i4O5p6",
    "github": "ghp_Qw3rTy7uIoP9aSdF2gHjK4lZxCvBnM6canary",
    "slack": "xoxb-7719283746-canaryslack",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlY2FuYXJ5",
    "digits": "739182645501",
}
SETTINGS = {
    "DASHLIGHT_TOKEN": "canary-token-Tq8rWz5k",
    "DASHLIGHT_COLLECTOR_HEADERS": "x-key=canaryheaderHv4n",
}
HEADERS = {
    "authorization": "Bearer canaryBearerKd83jf02",
    "cookie": "session=canaryCookieUw92kd",
    "x-api-key": "canaryApiKeyZm47sl",
    "user-agent": "client/1.0 (ozwald.agent@canary.example)",
}
ACCOUNT = 7391826455012233
CANARIES = [
    *(word for name in (*NAMES, *LATER_NAMES) for word in name.split()),
    *CITIES,
    *PARTICULARS.values(),
    "canary-token-Tq8rWz5k",
    "canaryheaderHv4n",
    "canaryBearerKd83jf02",
    "canaryCookieUw92kd",
    "canaryApiKeyZm47sl",
    "ozwald.agent@canary.example",
    str(ACCOUNT),
    "Grizelda",
    "Hildebrand",
    "Kunigunde",
    "Leopoldina",
    "canary_field",
    "Brunhilde",
]


def row(number: int, *, later: bool) -> dict[str, Any]:
    names = LATER_NAMES if later else NAMES
    name = names[number % len(names)]
    known: dict[str, Any] = {
        "age": 20 + number * 7 % 60,
        "customer": name if not later or number % 3 else name.lower(),
        "city": CITIES[number % 3] if not later else CITIES[0].upper(),
        "note": f"{name} asked for a loan, call {PARTICULARS['phone']} or {PARTICULARS['mail']} {number * 31 % 97}",
        "payment": PARTICULARS[list(PARTICULARS)[number % len(PARTICULARS)]],
        "account": ACCOUNT + number % 5,
        "amount": round(number * 13 % 101 + 0.5, 1) if not later else f"{PARTICULARS['card']}",
        "items": [f"Brunhilde {number % 4}", f"Brunhilde {number % 7}"],
    }
    if later and number % 4 == 0:
        known[PARTICULARS["mail"]] = 1.0
        known[f"canary_field {number} Grizelda@canary.example"] = 2.0
        known["said"] = {"model": PARTICULARS["openai"]}
    return known


def tell_everything(client: httpx.Client, stop: Callable[[], bool], has_learned: Callable[[], bool]) -> None:
    """Learning, then drift with all that can go wrong, until *stop*."""

    def ask(path: str, method: str = "POST", **said: Any) -> None:
        content = {"content-type": "application/json"} if "content" in said else {}
        with suppress(httpx.HTTPError):  # a failure of the app closes the connection
            client.request(method, path, headers={**HEADERS, **content}, **said)

    for number in range(400):
        ask("/predict", json=row(number, later=False))
    deadline, number = time.monotonic() + PATIENCE_SECONDS, 0
    while not has_learned() and time.monotonic() < deadline:
        ask("/predict", json=row(400 + number, later=False))
        number += 1
        time.sleep(0.05)
    while not stop() and time.monotonic() < deadline:
        for _ in range(25):
            number += 1
            ask(f"/predict?who={LATER_NAMES[0]}&mail={PARTICULARS['mail']}", json=row(number, later=True))
        ask("/strict", json={"age": "Hildebrand", "canary_field": 1, "scores": {"Kunigunde": "Hildebrand"}})
        ask("/strict", json={f"Kunigunde {number}": 1})
        ask(f"/people/{quote(LATER_NAMES[1])}/score", json={"age": 1})
        ask(f"/nowhere/Leopoldina/{quote(PARTICULARS['mail'])}", "GET")
        ask("/fails", content=f"Leopoldina {PARTICULARS['card']}".encode())
        for body in (b'{"customer": "Leopoldina', b"\xff\xfeLeopoldina", b"[1, Leopoldina]"):
            ask("/unread", content=body)
            ask("/predict", content=body)
        time.sleep(0.3)


def given(directory: Path) -> Path:
    """A reference file of rows as they come first."""
    rows = [row(number, later=False) for number in range(2000)]
    names = ("age", "customer", "city", "note", "payment", "amount")
    columns = {name: [each[name] for each in rows] for name in names}
    columns["label"] = ["approved" if each["age"] < 50 else "declined" for each in rows]
    made = build_reference_from_columns(columns, {"label": "output"}, rng=np.random.default_rng(0), created_at=1.0)
    path = directory / "given.json"
    path.write_bytes(dump(made))
    return path


def has_alarmed(collector: Any) -> bool:
    """Whether drift and a break were told."""
    told = [json.dumps(item) for item in collector.items("event") if "dashlight.alert" in json.dumps(item)]
    return any("never seen in the reference" in each for each in told) and any("break/" in each for each in told)


def written(text: str) -> Iterator[bytes]:
    """The ways in which *text* may stand in bytes, its hashes without a key among them."""
    plain = text.encode()
    yield plain
    yield quote(text).encode()
    yield text.lower().encode()
    yield text.upper().encode()
    yield text.replace(" ", "").encode()
    yield text.encode("utf-16-le")
    for digest in (md5, sha1, sha256, blake2b):
        yield digest(plain).hexdigest().encode()
        yield digest(plain).digest()[:8]


def opened(content: bytes) -> Iterator[bytes]:
    """*content* and what is compressed in it."""
    yield content
    for magic, open_ in ((b"\x1f\x8b\x08", gzip.decompress), (b"\x78\x9c", zlib.decompress)):
        for found in re.finditer(re.escape(magic), content):
            with suppress(OSError, EOFError, zlib.error):
                yield open_(content[found.start() :])


def found_in(content: bytes, canaries: Iterable[str] = CANARIES) -> set[str]:
    pieces = list(opened(content))
    return {each for each in canaries for form in written(each) if any(form in piece for piece in pieces)}


@pytest.mark.parametrize("reference", ["learned", "given"])
def test_no_canary_leaves(
    reference: str, collector: Any, served: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state, log = tmp_path / "state", tmp_path / "dashlight.log"
    environ = {
        "CANARY_LOG": str(log),
        "DASHLIGHT_STATE_DIR": str(state),
        "DASHLIGHT_REFERENCE_ROWS": "300",
        "DASHLIGHT_PANE": "1s",
        "DASHLIGHT_SAMPLE_RATE": "1",
        "DASHLIGHT_METRICS": "true",
        "DASHLIGHT_CPU": "50%",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_METRIC_EXPORT_INTERVAL": "1000",
        **SETTINGS,
        **({"DASHLIGHT_REFERENCE": str(given(tmp_path))} if reference == "given" else {}),
    }
    command = [sys.executable, "-m", "uvicorn", "canaries:app", "--port", "{port}", "--log-level", "critical"]
    with served(command, environ) as url, httpx.Client(base_url=url, timeout=20) as client:
        tell_everything(
            client, lambda: has_alarmed(collector), lambda: reference == "given" or any(state.rglob("reference-*.json"))
        )
        metrics = client.get("/dashlight/metrics", headers={"x-dashlight-token": SETTINGS["DASHLIGHT_TOKEN"]}).content
        live = {path.name: path.read_bytes() for path in state.rglob("*") if path.is_file()}
        time.sleep(2)
    arrived = collector.output.read_bytes()
    outputs = {
        "events, spans and metrics": arrived,
        "metrics for Prometheus": metrics,
        "log": log.read_bytes(),
        **{f"state of a live process: {name}": content for name, content in live.items()},
        **{f"state: {path.name}": path.read_bytes() for path in state.rglob("*") if path.is_file()},
    }

    assert b"dashlight.alert" in arrived
    assert b"never seen in the reference" in arrived
    for path in state.rglob("reference-*.json"):
        assert main(["reference", "show", str(path)]) == 0
        assert (
            main(
                [
                    "learned",
                    "export",
                    str(path.parent),
                    path.stem.removeprefix("reference-"),
                    "--output",
                    str(tmp_path / path.name),
                ]
            )
            == 0
        )
        outputs[f"exported: {path.name}"] = (tmp_path / path.name).read_bytes()
    assert main(["learned", "list", str(state)]) == (2 if reference == "given" else 0)
    outputs["command line"] = capsys.readouterr().out.encode()
    assert reference == "given" or any(name.startswith("exported: reference-predict") for name in outputs)
    assert {name: found for name, content in outputs.items() if (found := found_in(content))} == {}


def test_no_secret_of_the_settings_is_shown() -> None:
    settings = Settings.from_env({**SETTINGS, "DASHLIGHT_HASH_KEY": "canary-hash-key-9x2"})

    assert not found_in(repr(settings).encode(), [*CANARIES, "canary-hash-key-9x2"])
