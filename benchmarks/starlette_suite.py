"""Starlette's own test suite, with and without Dashlight: no outcome may change.

Runs the suite of the installed version's source distribution three times: as it is, with the middleware around every
app, and with the class as first user middleware. Exit status 1 if any test ends differently, or if Dashlight made a
mistake of its own that it kept from the app.

    python benchmarks/starlette_suite.py [--sdist starlette-X.tar.gz] [-- arguments of pytest]
"""

import argparse
import json
import os
import subprocess
import sys
import tarfile
import venv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
RUN = ROOT / "bench-run"
NEEDED = ("httpx2[zstd]", "blockbuster", "importlib-metadata", "opentelemetry-sdk", "pytest", "trio")
"""What the suite imports beside `starlette[full]`: its group `dev`, without linters."""
PLACES = {"absent": "plain", "around": "around every app", "first": "as first user middleware"}


@dataclass(frozen=True, slots=True)
class Ending:
    """How one run of the suite ended."""

    outcomes: Mapping[str, str]
    captured: int = 0
    """Exchanges that Dashlight saw."""
    mistakes: Mapping[str, int] = field(default_factory=dict[str, int])
    """Exceptions of Dashlight's own that it counted and kept from the app."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the suite three times and prints what differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sdist", type=Path, help="source distribution of Starlette (default: pip downloads it)")
    parser.add_argument("pytest", nargs="*", help="arguments for pytest, after --")
    asked = parser.parse_args(arguments)
    RUN.mkdir(exist_ok=True)
    wanted = version("starlette")
    suite = unpack(asked.sdist or download(wanted))
    python = environment(wanted)
    plain = run(python, suite, "absent", asked.pytest)
    if not plain.outcomes:
        print(f"no test ran: see {RUN / 'outcomes-absent.log'}")
        return 1
    watched = {place: run(python, suite, place, asked.pytest) for place in PLACES if place != "absent"}
    return report(wanted, plain, watched)


def download(wanted: str) -> Path:
    """The source distribution of Starlette *wanted*, from wherever pip finds packages."""
    sdist = RUN / f"starlette-{wanted}.tar.gz"
    if not sdist.exists():
        options = ["--quiet", "--no-deps", "--no-binary", ":all:", "--dest", str(RUN)]
        subprocess.run([sys.executable, "-m", "pip", "download", *options, f"starlette=={wanted}"], check=True)
    return sdist


def unpack(sdist: Path) -> Path:
    """The tests of *sdist* and their settings alone, so that they import the Starlette that is installed."""
    suite = RUN / f"{sdist.name.removesuffix('.tar.gz')}-suite"
    with tarfile.open(sdist) as archive:
        for member in archive.getmembers():
            _, _, inner = member.name.partition("/")
            if inner == "pyproject.toml" or inner.startswith("tests/"):
                archive.extract(member.replace(name=inner), suite, filter="data")
    return suite


def environment(wanted: str) -> Path:
    """The Python of an environment that holds this project, Starlette *wanted* and what its suite imports."""
    home = RUN / f"starlette-{wanted}-venv"
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    complete = home / ".complete"
    if not complete.exists():
        venv.create(home, with_pip=True, clear=True)
        packages = ["--editable", str(ROOT), f"starlette[full]=={wanted}", *NEEDED]
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
        complete.touch()
    return python


def run(python: Path, suite: Path, place: str, extra: Sequence[str]) -> Ending:
    """Runs the suite once, with the settings of Dashlight and OpenTelemetry at their defaults."""
    outcomes = RUN / f"outcomes-{place}.json"
    outcomes.unlink(missing_ok=True)
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("DASHLIGHT_", "OTEL_"))}
    command = [str(python), "-m", "pytest", "-q", "-p", "starlette_plugin", f"--dashlight={place}"]
    print(f"-- {PLACES[place]}", flush=True)
    # A wanted failure of a test is no failure of ours: outcomes are compared, the exit status is not.
    log = RUN / f"outcomes-{place}.log"
    with log.open("wb") as output:
        subprocess.run(
            [*command, f"--outcomes={outcomes}", *extra],
            cwd=suite,
            env={**environ, "PYTHONPATH": str(HERE)},
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    print(log.read_text(errors="replace").rstrip().rpartition("\n")[2], flush=True)
    return Ending(**json.loads(outcomes.read_text())) if outcomes.exists() else Ending({})


def report(wanted: str, plain: Ending, watched: Mapping[str, Ending]) -> int:
    """Prints the outcomes and their differences; 0 where nothing changed."""
    changed_count = mistake_count = 0
    counted = Counter(outcome.partition(" ")[0] for outcome in plain.outcomes.values())
    print(f"\nStarlette {wanted}, plain: {', '.join(f'{count} {outcome}' for outcome, count in counted.items())}")
    for place, ending in watched.items():
        changed = differences(plain.outcomes, ending.outcomes)
        print(f"Dashlight {PLACES[place]}: {len(changed)} outcomes changed, {ending.captured} exchanges captured")
        for test, before, after in changed:
            print(f"  {test}\n    {before} -> {after}")
        for mistake, count in ending.mistakes.items():
            print(f"  Dashlight's own mistakes: {mistake} x {count}")
        changed_count += len(changed)
        mistake_count += sum(ending.mistakes.values()) + (ending.captured == 0)
    return 1 if changed_count or mistake_count else 0


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(test, outcome before, outcome after) of every test that ended differently, or ran in one run only."""
    tests = dict.fromkeys([*before, *after])
    found = [(test, before.get(test, "did not run"), after.get(test, "did not run")) for test in tests]
    return [each for each in found if each[1] != each[2]]


if __name__ == "__main__":
    sys.exit(main())
