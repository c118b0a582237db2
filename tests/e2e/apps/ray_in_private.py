"""Ray Serve in a network of its own: Ray listens on every address, and here there is none but this process's loopback.

Run by `unshare` in new network and process namespaces. Reads from its input, as JSON, what to set in the environment, the
server's command and the requests; prints the answers. What the collector receives is in the file that is named.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 60.0
URL = "http://127.0.0.1:8000"
BIN = Path(sys.executable).parent
HEAD = ["start", "--head", "--include-dashboard=false", "--num-cpus=2", "--object-store-memory=80000000"]


def main(collected: str, asked: dict[str, Any], scratch: str) -> list[Any]:
    """The answers to all requests, each as its status and body.

    What it starts ends with it: it is the first process of its namespace.
    """
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    os.environ.update(
        asked["environ"], RAY_ADDRESS="auto", RAY_TMPDIR=scratch, RAY_USAGE_STATS_ENABLED="0", NO_PROXY="127.0.0.1"
    )
    collect = [sys.executable, "-m", "dashlight.cli.main", "collect", "--listen", "127.0.0.1:4318", "--output"]
    subprocess.Popen([*collect, collected], stdout=sys.stderr)
    subprocess.run([BIN / "ray", *HEAD], check=True, stdout=sys.stderr)
    subprocess.Popen([BIN / asked["server"][0], *asked["server"][1:]], stdout=sys.stderr)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while b"/petal" not in answer(f"{URL}/-/routes", None)[1] and time.monotonic() < deadline:
        time.sleep(0.1)
    answers = [answer(URL + path, body) for path, body in asked["requests"]]
    while seen(collected) < len(answers) and time.monotonic() < deadline:
        time.sleep(0.1)
    return [(status, body.decode()) for status, body in answers]


def seen(collected: str) -> int:
    """How many of the requests have arrived as events."""
    lines = Path(collected).read_text().splitlines()
    return sum('"dashlight.prediction"' in line and '"POST"' in line for line in lines)


def answer(url: str, body: str | None) -> tuple[int, bytes]:
    """Status and body of a request; 0 where nobody listens yet."""
    request = urllib.request.Request(url, None if body is None else body.encode(), {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()
    except OSError:
        return 0, b""


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        json.dump(main(sys.argv[1], json.load(sys.stdin), directory), sys.stdout)
