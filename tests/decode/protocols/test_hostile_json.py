import json
import time
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashlight.decode.batch import Decoder
from dashlight.decode.exchange import decode_exchange
from dashlight.decode.protocols import FALLBACK, PROTOCOLS
from dashlight.decode.rows.budget import MAX_CELLS
from dashlight.decode.rows.reading import Content, Place
from dashlight.errors import DecodeError
from dashlight.records import Exchange, Prediction

Make = Callable[..., Exchange]

MAX_BYTES = 20_000_000
PLACE = Place(is_prediction=True, protocol="", model="", version="", why="")

# Written after the formats, a request and an answer each; mutated below.
PAIRS: list[tuple[object, object]] = [
    ({"inputs": {"a": [1, 2], "b": [[1, 2], [3, 4]]}}, {"outputs": {"x": [1, 2]}}),
    ({"context": {"s": "w"}, "examples": [{"l": 4}, {"l": 2}]}, {"results": [[["cat", 0.7], ["bird", 0.3]], [["c", 1]]]}),
    ({"instances": [{"image": {"b64": "aGk="}}]}, {"result": [0.5]}),
    ({"dataframe_split": {"columns": ["a", "b"], "index": [7, 9], "data": [[1, "x"], [2, None]]}}, {"predictions": [1, 2]}),
    ({"messages": [{"role": "user", "content": [{"text": "a"}]}]}, {"choices": [{"message": {"content": "b"}}]}),
    ({"instances": [{"data": {"features": {"keys": [1, 3], "shape": [5], "values": [1, 4]}}}]}, {"predictions": [{}]}),
    ({"data": {"names": ["a"], "tensor": {"shape": [2, 2], "values": [1, 2, 3, 4]}}}, {"meta": {"puid": "p"}, "strData": "x"}),
    ({"data": {"tftensor": {"tensorShape": {"dim": [{"size": "1"}]}, "floatVal": [1]}}}, {"status": {"status": "FAILURE"}}),
    ({"instances": [{"a": 1}], "parameters": {"k": 1}}, {"predictions": [{"classes": ["a"], "scores": [0.5]}], "model": "m"}),
    ({"input_data": {"input_string": [{"role": "user", "content": "a"}], "parameters": {"t": 1}}}, {"output": "b"}),
    ({"Inputs": {"data": [{"a": 1}]}, "GlobalParameters": {"method": "p"}}, '{"Results": [1]}'),
    ({"inputs": ["a", "b"], "parameters": {"k": 1}}, [[{"label": "P", "score": 0.9}], [{"label": "N", "score": 1}]]),
    ({"query": "q", "texts": ["a", "b"]}, [{"index": 1, "score": 0.9}, {"index": 0, "score": 0.1}]),
    ({"inputs": "a"}, {"generated_text": "b", "details": {"finish_reason": "length", "generated_tokens": 3, "tokens": []}}),
    ({"text_input": "a", "parameters": {"t": 1}}, {"text_output": "b", "model_name": "m", "model_version": "1"}),
    ({"df": {"a": {"0": 1, "1": 2}}, "k": 1}, [1, 2]),
    ({"inputs": "a"}, {"sequence": "a", "labels": ["x", "y"], "scores": [0.2, 0.8]}),
]  # fmt: skip

scalars = st.sampled_from(
    [None, True, 0, -1, 2**70, 0.5, float("nan"), float("inf"), "", "x", "1", "b64", "\ud800", "é" * 9]
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b64", "data", "id", "0"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, value: object) -> object:
    """*value* with something else in some of its places."""
    if draw(st.integers(0, 7)) == 0:
        return draw(values)
    if isinstance(value, dict):
        kept = {key: draw(mutated(child)) for key, child in value.items() if draw(st.integers(0, 9))}
        return kept | ({"extra": draw(values)} if draw(st.integers(0, 5)) == 0 else {})
    if isinstance(value, list):
        return [draw(mutated(child)) for child in value if draw(st.integers(0, 9))]
    return value


pairs = st.sampled_from(PAIRS).flatmap(lambda pair: st.tuples(mutated(pair[0]), mutated(pair[1])))


def content(value: object) -> Content:
    return Content(b"", "application/json", (), value)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from((*PROTOCOLS, FALLBACK)), pairs, st.booleans())
def test_no_protocol_raises_anything_but_a_decode_error(
    protocol: object,
    pair: tuple[object, object],
    is_answered: bool,  # noqa: FBT001
) -> None:
    assert protocol in (*PROTOCOLS, FALLBACK)
    chosen = next(other for other in (*PROTOCOLS, FALLBACK) if other is protocol)

    try:
        reading = chosen.read(content(pair[0]), content(pair[1]) if is_answered else None, PLACE)
    except DecodeError:
        return

    assert (reading.outputs is None) <= (not is_answered)
    for sheet in (reading.features, reading.outputs):
        if sheet is not None:
            assert len(set(sheet.names)) == len(sheet.names)
            assert all(len(row) == len(sheet.names) for row in sheet.values)
            assert len(sheet.row_ids) in {0, len(sheet.values)}
            assert sum(map(len, sheet.values)) <= MAX_CELLS


paths = st.sampled_from(
    ["/predict", "/invocations", "/score", "/v1/models/m:predict", "/v1/models/m:classify", "/models/a/b", "/rerank",
     "/api/v1.0/predictions", "/v1/endpoints/1:predict", "/v2/models/m/generate", "/embed"]
)  # fmt: skip
headers = st.sampled_from([{}, {"server": "BentoML Service/x"}, {"azureml-model-deployment": "b"}])


@settings(max_examples=300, deadline=None)
@given(pairs, paths, headers, st.sampled_from([(200, 0), (200, 0), (200, 9), (424, 0), (500, 0)]))
def test_no_exchange_of_theirs_is_unforeseen(
    exchange: Make, pair: tuple[object, object], path: str, headers: dict[str, str], fate: tuple[int, int]
) -> None:
    status, cut = fate
    asked, answered = (json.dumps(value).encode() for value in pair)
    decoded = decode_exchange(
        exchange(
            asked[: len(asked) - cut],
            answered,
            path=path,
            status=status,
            answer_headers={"content-type": "application/json", **headers},
        )
    )

    assert decoded.undecodable != "unforeseen", decoded.undecodable_detail


SECRETS = {"password": "hunter2", "api_key": "hunter2", "token": "hunter2", "nested": {"secret": "hunter2"}}


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        ({"instances": [SECRETS | {"x": 1}]}, "/v1/models/m:predict"),
        ({"inputs": {"x": [1], "password": ["hunter2"]}}, "/v1/models/m:predict"),
        ({"context": SECRETS, "examples": [{"x": 1} | SECRETS]}, "/v1/models/m:classify"),
        ({"dataframe_split": {"columns": ["x", "password"], "data": [[1, "hunter2"]]}} | SECRETS, "/invocations"),
        ({"dataframe_records": [{"x": 1} | SECRETS], "params": SECRETS}, "/invocations"),
        ({"instances": [{"data": {"x": 1, "features": {"values": [1]}} | SECRETS}]}, "/invocations"),
        ({"data": {"names": ["password", "x"], "ndarray": [["hunter2", 1]]}, "meta": SECRETS}, "/predict"),
        ({"jsonData": {"x": 1} | SECRETS}, "/predict"),
        ({"instances": [{"x": 1} | SECRETS], "parameters": SECRETS}, "/v1/endpoints/1:predict"),
        ({"input_data": {"columns": ["x", "api_key"], "data": [[1, "hunter2"]]}} | SECRETS, "/score"),
        ({"input_data": {"input_string": "a", "parameters": SECRETS}}, "/score"),
        ({"inputs": {"question": "q", "context": "c"} | SECRETS, "parameters": SECRETS}, "/models/m"),
        ({"query": "q", "texts": ["a"]} | SECRETS, "/rerank"),
        ({"text_input": "a", "parameters": SECRETS} | SECRETS, "/v2/models/m/generate"),
    ],
)
@pytest.mark.parametrize(
    "answer",
    [{"predictions": [SECRETS], "text_output": "x"}, SECRETS | {"text_output": "x"}, [SECRETS | {"text_output": "x"}]],
    ids=["wrapped", "bare", "listed"],
)
def test_credentials_become_no_column_and_no_parameter(
    exchange: Make, request_: object, path: str, answer: object
) -> None:
    decoded = decode_exchange(exchange(request_, answer, path=path))

    assert decoded.features is not None
    assert decoded.outputs is not None
    told = [decoded.features.values, decoded.features.names, decoded.outputs.values, decoded.params, decoded.row_ids]
    assert "hunter2" not in repr(told)


def bomb(**parts: object) -> bytes:
    return json.dumps(parts).encode()


@pytest.mark.parametrize(
    ("body", "path"),
    [
        pytest.param(bomb(context={f"k{at}": at for at in range(9000)}, examples=[{}] * 40_000), "/v1/models/m:classify",
                     id="a context of 9,000 for 40,000 examples"),
        pytest.param(bomb(context={"v": [0] * 60_000}, examples=[{"a": 1}] * 9000), "/v1/models/m:classify",
                     id="a context of a vector of 60,000"),
        pytest.param(bomb(context={"a": {"b": [0] * 200}}, examples=[{}] * 80_000), "/v1/models/m:regress",
                     id="a nested context for 80,000 examples"),
        pytest.param(bomb(dataframe_split={"columns": [f"c{at}" for at in range(20_000)], "data": [[]] * 20_000}),
                     "/invocations", id="20,000 names for 20,000 empty rows"),
        pytest.param(bomb(instances=[{"data": {"features": {"keys": [1], "shape": [4096], "values": [1]}}}] * 3000),
                     "/invocations", id="3,000 sparse vectors of 4,096"),
        pytest.param(bomb(data={"tensor": {"shape": [10**12, 10**12], "values": [1] * 80_000}}), "/predict",
                     id="a shape of 10**24"),
        pytest.param(bomb(data={"tensor": {"shape": [1] * 50_000, "values": [1]}}), "/predict", id="50,000 dimensions"),
        pytest.param(bomb(query="q" * 50_000, texts=["a"] * 40_000), "/rerank", id="a long query for 40,000 texts"),
        pytest.param(bomb(df={f"c{at}": {"0": 1} for at in range(15_000)}), "/p", id="a frame of 15,000 columns"),
        pytest.param(bomb(messages=[{"role": "user", "content": "a"}] * 6000), "/invocations", id="6,000 messages"),
    ],
)  # fmt: skip
def test_no_bomb_takes_much_memory_or_time(exchange: Make, body: bytes, path: str) -> None:
    headers = {"content-type": "application/json", "server": "BentoML Service/x"} if path == "/p" else None
    bombed = exchange(body, {"predictions": [1]}, path=path, answer_headers=headers)
    started = time.thread_time()
    decode_exchange(bombed)
    seconds = time.thread_time() - started

    tracemalloc.start()
    decoded = decode_exchange(bombed)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert decoded.undecodable != "unforeseen"
    assert peak_bytes < MAX_BYTES
    # Of the CPU. Fifty milliseconds are the aim; a machine that does other things too, and coverage, get twenty times as many.
    assert seconds < 1.0


@settings(max_examples=150, deadline=None)
@given(pairs, paths, headers)
def test_what_is_remembered_of_a_path_changes_no_table(
    exchange: Make, pair: tuple[object, object], path: str, headers: dict[str, str]
) -> None:
    same = [
        exchange(*pair, path=path, answer_headers={"content-type": "application/json", **headers}) for _ in range(20)
    ]
    decoder = Decoder(model="m", version="1")

    first, second = decoder.decode(same), decoder.decode(same)

    assert first.undecodable == second.undecodable
    assert first.failures == second.failures
    assert [facts(prediction) for prediction in first.predictions] == [
        facts(prediction) for prediction in second.predictions
    ]


def facts(prediction: Prediction) -> str:
    tables = [
        (sorted(zip(table.number_names, map(repr, table.numbers.tolist()), strict=True)),
         sorted(zip(table.cell_names, map(repr, map(list, table.cells)), strict=True)), table.exchange.tolist())
        for table in (prediction.features, prediction.outputs)
    ]  # fmt: skip
    return repr((prediction.model, prediction.version, prediction.protocol, tables))
