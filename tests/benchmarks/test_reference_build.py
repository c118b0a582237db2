from pathlib import Path

from benchmarks.reference_build import write

from dashlight.cli.scan.training_file import training_file


def test_the_file_has_the_columns_that_it_promises(tmp_path: Path) -> None:
    write(tmp_path / "t.csv", 500)

    with training_file([str(tmp_path / "t.csv")]) as file:
        look = file.look(file.names, "seen_at", lambda _: None)

        kinds = [file.writings[name].kind for name in file.names]

    assert (look.rows, look.backward_row) == (500, None)
    assert kinds == ["number"] * 10 + ["text"] * 6 + ["boolean"] * 2 + ["time"] * 2
