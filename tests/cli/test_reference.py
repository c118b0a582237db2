import argparse
import csv
import gzip
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from dashlight.cli import reference as command
from dashlight.privacy.hashing import HashKey, is_hash
from dashlight.window.columns import Reference
from dashlight.window.reference.file import load

HEADER = ("day", "temp", "carrier", "late", "p", "constant")
ROWS = 400


def rows() -> list[list[str]]:
    rng = np.random.default_rng(1)
    return [
        [
            f"2013-01-{1 + row // 20:02}",
            "NA" if row % 10 == 0 else f"{rng.normal(50, 10):.1f}",
            ["AA", "UA", "DL"][row % 3],
            ["true", "false"][row % 2],
            f"{rng.random():.3f}",
            "7",
        ]
        for row in range(ROWS)
    ]


@pytest.fixture
def train(tmp_path: Path) -> Path:
    return written(tmp_path / "train.csv", [HEADER, *rows()])


def written(path: Path, lines: Sequence[Sequence[str]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(lines)
    return path


def run(*words: str | Path) -> int:
    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers(required=True))
    arguments = parser.parse_args(["reference", *map(str, words)])
    code: int = arguments.run(arguments)
    return code


def built(train: Path, *words: str) -> Reference:
    output = train.parent / "reference.json"
    assert run("build", train, "--output", output, *words) == 0
    return load(output.read_bytes())


def test_a_reference_is_built_from_csv(train: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = built(train, "--prediction", "p", "--label", "late", "--time", "day", "--model", "flights")

    assert [(column.name, column.role, column.kind) for column in made.columns] == [
        ("temp", "feature", "numeric"),
        ("carrier", "feature", "categorical"),
        ("constant", "feature", "numeric"),
        ("p", "output", "numeric"),
    ]
    temp = made.columns[0]
    assert (temp.rows, temp.counts[0]) == (400, 40)
    assert (made.ordered, made.model, made.source) == (True, "flights", "file")
    assert made.version in capsys.readouterr().out


def test_truths_in_csv_make_a_boolean_column(train: Path) -> None:
    late = next(column for column in built(train, "--unordered").columns if column.name == "late")

    assert (late.kind, late.categories) == ("boolean", ("false", "true"))


@pytest.mark.parametrize(
    ("words", "ordered", "says_so"),
    [
        pytest.param(["--time", "day"], True, False, id="a time column"),
        pytest.param(["--unordered"], False, False, id="no order"),
        pytest.param([], True, True, id="nothing said"),
    ],
)
def test_rows_without_a_word_about_their_order_are_taken_as_they_come(
    train: Path,
    words: list[str],
    ordered: bool,  # noqa: FBT001
    says_so: bool,  # noqa: FBT001
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = built(train, *words)

    assert made.ordered is ordered
    assert bool(made.columns[0].variation) is ordered
    assert ("assumed to be in time order" in capsys.readouterr().err) is says_so


def test_the_moments_of_the_rows_show_their_daily_rhythm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(4)
    day = np.arange(6000) / 1200
    temp = rng.normal(size=len(day)) + np.sin(2 * np.pi * day)
    lines = [[f"{1_356_998_400_000 + at * 86_400_000:.0f}", f"{x:.3f}"] for at, x in zip(day, temp, strict=True)]
    shuffled = [lines[row] for row in rng.permutation(len(lines))]

    made = built(written(tmp_path / "timed.csv", [["ms", "temp"], *shuffled]), "--time", "ms")

    season = made.columns[0].season
    assert season is not None
    assert 7 in season.harmonics  # once a day
    assert run("show", tmp_path / "reference.json") == 0
    assert "follows the hour of the day" in capsys.readouterr().out


def test_a_column_whose_numbers_are_codes_is_categorical(train: Path) -> None:
    made = built(train, "--categorical", "constant", "--ignore", "day")

    assert {column.name: set(column.categories) for column in made.columns if column.kind == "categorical"} == {
        "constant": {"7"},
        "carrier": {"AA", "DL", "UA"},
    }


def test_columns_are_ignored_by_pattern(train: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = built(train, "--ignore", "c*", "day", "nothing*", "--ignore", "p")

    assert {column.name for column in made.columns} == {"temp", "late"}
    assert "No column matches --ignore nothing*." in capsys.readouterr().err


def test_csv_gzipped_csv_and_parquet_make_the_same_reference(train: Path, tmp_path: Path) -> None:
    zipped = tmp_path / "train.csv.gz"
    zipped.write_bytes(gzip.compress(train.read_bytes()))
    by_name = {name: [row[place] for row in rows()] for place, name in enumerate(HEADER)}
    table = pa.table(
        {
            "day": pa.array(by_name["day"]).cast(pa.timestamp("us")),
            "temp": [None if text == "NA" else float(text) for text in by_name["temp"]],
            "carrier": by_name["carrier"],
            "late": [text == "true" for text in by_name["late"]],
            "p": [float(text) for text in by_name["p"]],
            "constant": [7] * ROWS,
        }
    )
    parquet.write_table(table, tmp_path / "train.parquet")

    shown = []
    for path in (train, zipped, tmp_path / "train.parquet"):
        built(path, "--prediction", "p")
        lines = (tmp_path / "reference.json").read_text().splitlines()
        shown.append([line for line in lines if not re.search("created_at|checksum|writing", line)])

    assert shown[0] == shown[1] == shown[2]


def test_rows_out_of_order_are_sorted_by_their_time(train: Path, tmp_path: Path) -> None:
    mixed = rows()
    np.random.default_rng(2).shuffle(mixed)
    mixed_up = written(tmp_path / "mixed.csv", [HEADER, *mixed])

    in_order = built(train, "--time", "day").columns[0]
    sorted_here = built(mixed_up, "--time", "day").columns[0]
    as_they_come = built(mixed_up).columns[0]

    assert sorted_here.counts.tolist() == in_order.counts.tolist()
    assert as_they_come.variation[0].events.tolist() != in_order.variation[0].events.tolist()
    assert [part.blocks for part in sorted_here.variation] == [4, 1, 0]


def test_what_a_reference_holds_is_shown(train: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    built(train, "--prediction", "p", "--time", "day", "--model", "flights")
    capsys.readouterr()

    assert run("show", tmp_path / "reference.json") == 0

    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("reference.json: 400 rows in time order, 5 columns of flights, version ")
    assert shown[2].split() == ["role", "column", "kind", "missing", "values", "variation", "between", "blocks", "of"]
    assert any(line.startswith("feature  temp ") and " 10.0% " in line for line in shown)
    assert any("AA 34%, DL 33%, UA 33%" in line for line in shown)


def test_nothing_half_written_is_left_behind(train: Path, tmp_path: Path) -> None:
    built(train)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["reference.json", "train.csv"]


@pytest.mark.parametrize(
    ("file", "words", "sentence"),
    [
        pytest.param(("no.csv", None), (), "no.csv: No such file or directory", id="missing file"),
        pytest.param(("t.csv", ""), (), "holds no rows", id="empty file"),
        pytest.param(
            ("t.csv", "a,b\n"), (), "holds too few rows: found 0, a reference needs at least 200", id="header alone"
        ),
        pytest.param(
            ("t.csv", "a,b\n1,2\n"), (), "holds too few rows: found 1, a reference needs at least 200", id="one row"
        ),
        pytest.param(
            ("t.csv", 'a,b\n1,2\n"x\ny",4\n5\n'),
            (),
            "does not fit its header at line 5: found 1 fields, expected 2",
            id="row too short",
        ),
        pytest.param(
            ("t.csv", "a\n1\n1,2\n"),
            (),
            "does not fit its header at line 3: found 2 fields, expected 1",
            id="row too long",
        ),
        pytest.param(("t.csv", "a,b,a\n"), (), "has two columns of the name 'a'", id="a name twice"),
        pytest.param(
            ("t.csv", b"a,b\n\xc3\xbc,1\n\xff,1\n"),
            (),
            "is UTF-8 text up to line 3, where 0xff is none",
            id="odd bytes",
        ),
        pytest.param(("t.csv.gz", b"\x1f\x8b\x08broken"), (), "is a damaged compressed file", id="damaged gzip"),
        pytest.param(
            ("t.csv.gz", gzip.compress(b"a,b\n" * 9999)[:-12]), (), "is a damaged compressed file", id="gzip cut short"
        ),
        pytest.param(
            ("t.csv", "a\n" + "x" * 2**24 + "y"), (), "cannot be read at line 2: field larger", id="endless field"
        ),
        pytest.param(("t.parquet", b"PAR1 or not"), (), "is a damaged Parquet file", id="foreign Parquet"),
        pytest.param(("t.xlsx", b"PK"), (), "has an unknown format: expected .csv, .tsv, .txt", id="unknown kind"),
        pytest.param(
            ("t.csv", "a,b\n"),
            ("--label", "y"),
            "has no column 'y' (--label); it has a, b",
            id="label that is not there",
        ),
        pytest.param(("t.csv", "a,b\n"), ("--prediction", "y"), "has no column 'y' (--prediction)", id="no prediction"),
        pytest.param(("t.csv", "a,b\n"), ("--time", "y"), "has no column 'y' (--time)", id="no time"),
        pytest.param(("t.csv", "a,b\n"), ("--categorical", "y"), "has no column 'y' (--categorical)", id="no category"),
        pytest.param(
            ("t.csv", "a,b\n"),
            ("--prediction", "a", "--label", "a"),
            "cannot have column 'a' both as --prediction and as --label or --time",
            id="prediction and label",
        ),
        pytest.param(("t.csv", "a,b\n"), ("--ignore", "*"), "has no column left for the reference", id="all ignored"),
        pytest.param(
            ("t.csv", "a,b\n1,2\nsoon,2\n"),
            ("--time", "a"),
            "has 'soon' in column 'a' in row 2, which is neither a number nor a time",
            id="times of two kinds",
        ),
        pytest.param(("t.csv", "a,b\n,2\n"), ("--time", "a"), "has '' in column 'a'", id="a row without a time"),
    ],
)
def test_what_is_wrong_with_training_data_is_one_line(
    tmp_path: Path,
    file: tuple[str, str | bytes | None],
    words: Sequence[str],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name, content = file
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    code = run(
        "build",
        path,
        "--output",
        tmp_path / "out.json",
        "--unordered" if "--time" not in words else "--model=m",
        *words,
    )

    said = capsys.readouterr().err.splitlines()
    assert code == 2
    assert said[-1].startswith("dashlight reference: ")
    assert sentence in said[-1]
    assert not any("Traceback" in line for line in said)
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(None, "No such file or directory", id="missing"),
        pytest.param(b"a,b\n1,2\n", "is not JSON", id="not JSON"),
        pytest.param(b"{}", "is not a Dashlight reference", id="foreign JSON"),
    ],
)
def test_what_is_wrong_with_a_reference_file_is_one_line(
    tmp_path: Path, content: bytes | None, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "reference.json"
    if content is not None:
        path.write_bytes(content)

    assert run("show", path) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert str(path) in line
    assert sentence in line


def test_a_place_that_cannot_be_written_is_named(
    train: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = tmp_path / "nowhere" / "reference.json"

    assert run("build", train, "--output", nowhere, "--unordered") == 2

    assert capsys.readouterr().err.splitlines()[-1] == f"dashlight reference: {nowhere}: No such file or directory"


@pytest.mark.parametrize("package", ["duckdb", "narwhals", "pyarrow"])
def test_without_what_reads_training_files_the_extra_is_named(train: Path, package: str) -> None:
    script = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "import argparse; from dashlight.cli import reference\n"
        "parser = argparse.ArgumentParser(); reference.register(parser.add_subparsers())\n"
        "arguments = parser.parse_args(['reference', 'build', 'train.csv', '--output', 'r.json'])\n"
        "sys.exit(arguments.run(arguments))\n"
    )

    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=train.parent, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 2
    assert ended.stderr == (
        f"dashlight reference: train.csv cannot be read: {package} is not installed: pip install 'dashlight[cli]'\n"
    )


@pytest.mark.parametrize("address", ["https://example.com/t.csv", "s3://bucket/t.parquet", "file:///tmp/t.csv"])
def test_only_local_files_are_read(tmp_path: Path, address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("build", address, "--output", tmp_path / "out.json") == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"dashlight reference: {address} is a URL: only local files are read, so download it first"


def test_several_files_make_one_reference(train: Path, tmp_path: Path) -> None:
    lines = train.read_text().splitlines()
    for name, part in (("part-1.csv", lines[1:200]), ("part-2.csv", lines[200:])):
        (tmp_path / name).write_text("\n".join([lines[0], *part]) + "\n")
    whole = built(train)

    from_glob = built(tmp_path / "part-*.csv")

    assert [column.counts.tolist() for column in from_glob.columns] == [
        column.counts.tolist() for column in whole.columns
    ]


@pytest.fixture
def sessions(tmp_path: Path) -> Path:
    rng = np.random.default_rng(7)
    ids = np.repeat(np.arange(600), 5)
    lines = [
        [f"2024-01-01T{row // 3600:02}:{row // 60 % 60:02}:{row % 60:02}", str(10**9 + 7 * each), f"{each % 50}", f"{rng.normal():.3f}"]
        for row, each in enumerate(ids.tolist())
    ]  # fmt: skip
    return written(tmp_path / "sessions.csv", [("at", "session_id", "level", "x"), *lines])


@pytest.mark.parametrize("words", [[], ["--time", "at"], ["--unordered"]], ids=["as they come", "by time", "unordered"])
def test_rows_of_a_session_count_as_they_are_worth(
    sessions: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    made = built(sessions, "--cluster", "session_id", "--ignore", "at", *words)
    said = capsys.readouterr()

    assert made.cluster == "session_id"
    assert [column.name for column in made.columns] == ["level", "x"]
    assert 550 <= made.rows <= 750
    assert "rows worth (by session_id)" in said.out
    assert "'session_id' is left out" not in said.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--cluster", "sesion"], "has no column 'sesion' (--cluster); it has at, session_id, level, x"),
        (["--cluster", "x", "--prediction", "x"], "cannot have column 'x' as --cluster: it is an output"),
        (["--cluster", "x", "--ignore", "at", "level"], "has no column left for the reference beside 'x' (--cluster)"),
    ],
)
def test_a_cluster_that_cannot_be_is_refused(
    sessions: Path, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("build", sessions, "--output", sessions.parent / "made.json", *words) == 2
    assert sentence in capsys.readouterr().err


def test_columns_are_declared_as_shown(train: Path) -> None:
    made = built(train, "--prediction", "p", "--show", "carr*,nothing", "late")

    assert {column.name for column in made.columns if column.shown} == {"carrier", "late"}


def test_under_a_key_a_reference_holds_hashes(train: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHLIGHT_HASH_KEY", "the operator's own secret")
    output = train.parent / "reference.json"
    assert run("build", train, "--output", output, "--unordered") == 0

    key = HashKey.of_setting("the operator's own secret")
    carrier = next(column for column in load(output.read_bytes(), key).columns if column.name == "carrier")
    assert all(map(is_hash, carrier.categories))
    assert run("show", output) == 0
    monkeypatch.setenv("DASHLIGHT_HASH_KEY", "short")
    assert run("build", train, "--output", output, "--unordered") == 2
