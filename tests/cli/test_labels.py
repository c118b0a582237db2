"""What `dashlight labels send` says of a call that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashlight.cli.main import main


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["none.csv", "--to", "http://127.0.0.1:1"], "none.csv: No such file or directory"),
        (["labels.csv", "--to", "127.0.0.1:1"], "--to='127.0.0.1:1': expected an http or https URL"),
        (
            ["labels.csv", "--to", "http://127.0.0.1:1", "--token-file", "none"],
            "none: No such file or directory",
        ),
        (
            ["labels.csv", "--to", "http://127.0.0.1:1", "--id", "key"],
            "labels.csv: has no column 'key': it has id, label",
        ),
    ],
)
def test_a_mistake_names_what_is_wrong_and_nothing_else(
    words: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DASHLIGHT_LABELS_TOKEN", "good-for-labels-alone")
    Path("labels.csv").write_text("id,label\na,1\n")

    assert main(["labels", "send", *words]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"dashlight labels: {sentence}"
