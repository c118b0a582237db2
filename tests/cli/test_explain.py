import argparse
import gzip
from pathlib import Path

import pytest

from dashlight.cli.explain import register


def explain(*arguments: str) -> int:
    parser = argparse.ArgumentParser(prog="dashlight")
    register(parser.add_subparsers(required=True))
    chosen = parser.parse_args(["explain", *arguments])
    return int(chosen.run(chosen))


def written(directory: Path, name: str, body: bytes) -> str:
    path = directory / name
    path.write_bytes(body)
    return str(path)


def test_columns_values_and_roles_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request = written(
        tmp_path,
        "request.json",
        b'{"order_id": "o-9", "age": 39, "city": "Oslo", "member": true, "zip": null, "email": "a@b.c", "password": "p",'
        b' "lines": [{"sku": "A"}, {"sku": "B"}], "note": "' + b"x" * 60 + b'"}',
    )
    response = written(
        tmp_path, "response.json", b'{"label": 1, "probability": 0.83, "model": "churn", "version": "7"}'
    )

    status = explain(request, response, "--content-type", "application/json")

    assert status == 0
    assert capsys.readouterr().out.splitlines() == [
        "protocol:    plain, because no protocol's keys: plain JSON",
        "rows:        1",
        "model:       churn",
        "version:     7",
        "row ids:     o-9",
        "flags:       null, sensitive",
        "",
        "features: 7 columns, 1 row",
        "  column  role     type    values",
        "  age     feature  number  39",
        "  city    feature  text    Oslo",
        "  member  feature  truth   true",
        "  zip     feature  null    null",
        "  email   feature  text    [redacted]",
        "  lines   feature  list    list of 2",
        "  note    feature  text    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...",
        "  left out: order_id (an id)",
        "  left out: password (a credential)",
        "",
        "outputs: 2 columns, 1 row",
        "  column       role         type    values",
        "  label        label        number  1",
        "  probability  probability  number  0.83",
    ]


def test_of_many_rows_the_first_are_shown_and_types_of_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = b",".join([b'{"x": 1, "k": {}}', b'{"x": "a"}'] + [b'{"x": 2}'] * 6)
    request = written(
        tmp_path, "request.json", b'{"rows": [' + rows + b'], "parameters": {"top_k": 3}, "api_key": "s"}'
    )

    status = explain(request)

    lines = capsys.readouterr().out.splitlines()
    assert status == 0
    assert "parameters:  parameters={'top_k': 3}" in lines
    assert "features: 1 column, 8 rows" in lines
    assert "  x       feature  number or text  1  a  2  2  2  ..." in lines
    assert "  left out: api_key (a credential)" in lines
    assert "  left out: parameters (a parameter of the request)" in lines
    assert "outputs: none, no response was given" in lines


def test_objects_that_are_cells_are_called_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request = written(tmp_path, "request.json", b'[{"x": 1}, 2, {"a": 3}]')

    assert explain(request) == 0
    assert "  0       feature  number or object  {'x': 1}  2  {'a': 3}" in capsys.readouterr().out


def test_columns_beyond_the_limits_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wide = written(tmp_path, "wide.json", b"{" + b",".join(b'"c%d": 1' % at for at in range(258)) + b"}")
    wider = written(tmp_path, "wider.json", b"{" + b",".join(b'"c%d": 1' % at for at in range(257)) + b"}")

    explain(wide)
    explain(wider)

    out = capsys.readouterr().out
    assert "  left out: 2 columns and rows beyond the limits" in out
    assert "  left out: 1 column or row beyond the limits" in out


def test_path_query_and_method_make_a_get(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = written(tmp_path, "empty", b"")
    response = written(tmp_path, "response.json", b'{"y": 1}')

    status = explain(empty, response, "--method", "get", "--path", "/predict?x=1&kind=a")

    assert status == 0
    assert "  kind    feature  text  a" in capsys.readouterr().out


def test_the_protocol_of_a_path_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request = written(tmp_path, "request.json", b'{"instances": [[1, 2]]}')

    status = explain(request, "--path", "/v1/models/iris:predict")

    out = capsys.readouterr().out
    assert status == 0
    assert "protocol:    kserve_v1, because the path ends like kserve_v1's" in out
    assert "model:       iris" in out


def test_headers_count_on_both_sides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request = written(tmp_path, "request.gz", gzip.compress(b'{"x": 1}'))
    response = written(tmp_path, "response.json", b"")

    status = explain(
        request, response, "--header", "Content-Encoding: gzip", "--response-header", "X-BentoML-Request-ID: c839"
    )

    out = capsys.readouterr().out
    assert status == 0
    assert "request id:  c839" in out
    assert "outputs: none, the answer is empty" in out


def test_a_failure_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request = written(tmp_path, "request.json", b'{"age": "x"}')
    refused = written(
        tmp_path, "refused.json", b'{"detail": [{"type": "int", "loc": ["body", "age"], "msg": "no integer"}]}'
    )
    failed = written(tmp_path, "failed.json", b'{"error": "gone\\u001b[2J"}')

    assert explain(request, refused, "--status", "422") == 0
    assert "failure:     validation in age: age: no integer" in capsys.readouterr().out
    assert explain(request, failed) == 0
    assert "failure:     model: gone\N{REPLACEMENT CHARACTER}[2J" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("body", "arguments", "line"),
    [
        (b"a: 1", ["--content-type", "application/yaml"], "undecodable: unsupported_media_type: application/yaml"),
        (b"\x80\x04]q\x00.", [], "undecodable: opaque_body: pickled objects, which are never loaded"),
        (b'{"model": "m"}', ["--path", "/v1/chat/completions"], "undecodable: unknown_layout: no messages"),
        (b"{", [], "undecodable: invalid_json: it ends early"),
        (b"{}", ["--path", "/health"], "not a prediction: the path is one of health, documentation, metrics, login and the like"),
    ],
    ids=["media type", "pickle", "layout", "cut", "no prediction"],
)  # fmt: skip
def test_what_is_not_decoded_says_why_and_exits_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], body: bytes, arguments: list[str], line: str
) -> None:
    status = explain(written(tmp_path, "request", body), *arguments)

    assert status == 1
    assert line in capsys.readouterr().out.splitlines()


def test_a_file_that_is_not_there_is_one_line_and_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "missing.json")

    assert explain(missing) == 2

    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err == f"dashlight explain: {missing}: No such file or directory\n"


@pytest.mark.parametrize("header", ["nonsense", ": value"])
def test_a_header_without_a_name_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], header: str
) -> None:
    with pytest.raises(SystemExit) as stop:
        explain(written(tmp_path, "request.json", b"{}"), "--header", header)

    assert stop.value.code == 2
    assert "expected NAME:VALUE" in capsys.readouterr().err


def test_of_a_chat_is_shown_how_much_and_how(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = b'{"model": "m", "messages": [{"role": "user", "content": "Weather?"}], "temperature": 0.5, "stream": true}'
    request = written(tmp_path, "request.json", asked)
    call = b'{"index": 0, "function": {"name": "weather", "arguments": "{}"}}'
    response = written(
        tmp_path,
        "response.sse",
        b'data: {"choices": [{"index": 0, "delta": {"refusal": "No."}}]}\n\n'
        b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [' + call + b']}, "finish_reason": "stop"}],'
        b' "usage": {"prompt_tokens": 4}}\n\n',
    )

    status = explain(
        request, response, "--path", "/v1/chat/completions", "--response-header", "content-type: text/event-stream"
    )

    lines = capsys.readouterr().out.splitlines()
    assert status == 0
    assert "generation:  chat, streamed" in lines
    assert "parameters:  temperature=0.5" in lines
    assert any(line.startswith("tokens:      4 input, about ") for line in lines)
    assert "finish:      stop" in lines
    assert "tool calls:  weather" in lines
    assert "refusals:    1" in lines
    assert any("valid_json" not in line and line.split()[:2] == ["refusal", "label"] for line in lines)


def test_of_embeddings_only_what_there_is_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request = written(tmp_path, "request.json", b'{"model": "e", "input": "a b"}')

    assert explain(request, "--path", "/v1/embeddings") == 0

    out = capsys.readouterr().out
    assert "generation:  embeddings\n" in out
    assert "finish:" not in out


def test_listed_and_ignored_columns_are_shown_as_they_would_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = written(
        tmp_path, "request.json", b'{"age": 39, "city": "Oslo", "shop_id": 7, "user_id": 8, "api_key": "s"}'
    )
    response = written(tmp_path, "response.json", b'{"label": "a", "score": 0.5}')

    status = explain(
        request, response, "--features", "age, *_id, api_key", "--prediction", "score", "--ignore", "user_*"
    )

    lines = capsys.readouterr().out.splitlines()
    assert status == 0
    assert "features: 2 columns, 1 row" in lines
    assert "  shop_id  feature  number  7" in lines
    assert "  left out: user_id (an id)" in lines
    assert "  left out: api_key (a credential)" in lines
    assert "  left out: city (not among the columns to use)" in lines
    assert "outputs: 1 column, 1 row" in lines
    assert "  left out: label (not among the columns to use)" in lines


def test_a_column_to_be_ignored_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(written(tmp_path, "request.json", b'{"age": 39, "city": "Oslo"}'), "--ignore", "city") == 0

    assert "  left out: city (ignored)" in capsys.readouterr().out
