import base64
import json
import struct
from collections.abc import Callable

import pytest

from dashlight.decode.exchange import Decoded, decode_exchange
from dashlight.decode.rows.budget import MAX_CELLS
from dashlight.records import Exchange

Make = Callable[..., Exchange]
PATH = "/v1/embeddings"


def packed(*numbers: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def decoded(exchange: Make, given: object, data: object, **beside: object) -> Decoded:
    asked = {"model": "e", "input": given}
    return decode_exchange(exchange(asked, {"data": data, "model": "e", **beside}, path=PATH))


def vectors(found: Decoded) -> list[object]:
    assert found.outputs is not None
    assert found.outputs.names == ("embedding",)
    return [row[0] for row in found.outputs.values]


@pytest.mark.parametrize(
    ("given", "rows"),
    [
        ("one text", ["one text"]),
        (["a", "b"], ["a", "b"]),
        ([5, 6, 7], [[5, 6, 7]]),
        ([[5, 6], [7]], [[5, 6], [7]]),
        ([], []),
    ],
    ids=["a text", "texts", "tokens", "lists of tokens", "nothing"],
)
def test_every_text_is_a_row(exchange: Make, given: object, rows: list[object]) -> None:
    found = decoded(exchange, given, [])

    assert found.features is not None
    assert found.features.names == ("input",)
    assert [row[0] for row in found.features.values] == rows


@pytest.mark.parametrize("pack", [packed, lambda *numbers: list(numbers)], ids=["base64", "lists"])
def test_vectors_are_put_in_the_order_of_their_index(exchange: Make, pack: Callable[..., object]) -> None:
    data = [{"index": 1, "embedding": pack(3.0, -4.5)}, {"index": 0, "embedding": pack(1.0, 0.25)}]
    found = decoded(exchange, ["a", "b"], data, usage={"prompt_tokens": 2, "total_tokens": 2})

    assert vectors(found) == [[1.0, 0.25], [3.0, -4.5]]
    assert found.roles == {"embedding": "embedding"}
    assert (found.protocol, found.model, found.version) == ("openai_embeddings", "e", "")
    assert found.generation is not None
    assert found.generation.usage == {"input": 2, "total": 2}
    assert found.generation.operation == "embeddings"


@pytest.mark.parametrize("indexes", [(0, 0), ("b", "a"), (10**9, 10**30)], ids=["twice", "no numbers", "huge"])
def test_indexes_that_are_none_change_no_order(exchange: Make, indexes: tuple[object, object]) -> None:
    data = [{"index": index, "embedding": [at]} for at, index in enumerate(indexes)]

    assert vectors(decoded(exchange, ["a", "b"], data)) == [[0], [1]]


@pytest.mark.parametrize("said", ["no base64!", "AAAA", "", None, 3, ["a"], "AAAé"], ids=repr)
def test_what_is_no_vector_is_null(exchange: Make, said: object) -> None:
    assert vectors(decoded(exchange, "a", [{"embedding": said}])) == [None]


def test_answers_of_another_number_are_told(exchange: Make) -> None:
    assert "shape_mismatch" in decoded(exchange, ["a", "b"], [{"embedding": [1.0]}]).flags


def test_answers_of_another_layout_are_read_as_plain(exchange: Make) -> None:
    found = decode_exchange(exchange({"input": "a"}, {"y": 1}, path=PATH))

    assert found.outputs is not None
    assert found.outputs.names == ("y",)


def test_without_an_answer_there_are_no_vectors(exchange: Make) -> None:
    found = decode_exchange(exchange({"input": "four"}, b"", path=PATH, status=500))

    assert (found.rows, found.outputs) == (1, None)
    assert found.generation is not None
    assert found.generation.estimate == {"input": 1}


def test_vectors_beyond_the_limit_are_counted(exchange: Make) -> None:
    data = [{"embedding": [1] * (MAX_CELLS // 2)}] * 3
    found = decode_exchange(exchange({"input": ["a"] * 3}, json.dumps({"data": data}).encode(), path=PATH))

    assert found.outputs is not None
    assert len(found.outputs.values) < 3
    assert "over_limit" in found.flags


def test_without_input_the_layout_is_unknown(exchange: Make) -> None:
    assert decode_exchange(exchange({"model": "e"}, {}, path=PATH)).undecodable == "unknown_layout"


def test_more_texts_than_rows_are_kept_are_counted(exchange: Make) -> None:
    found = decoded(exchange, ["a"] * 10_001, [])

    assert (found.rows, "over_limit" in found.flags) == (10_000, True)


def test_indexes_beyond_any_list_change_no_order(exchange: Make) -> None:
    data = [{"index": at * ((1 << 61) - 1), "embedding": [at]} for at in (2, 1, 0)]

    decoded = decode_exchange(exchange({"input": ["a", "b", "c"]}, {"data": data}, path="/v1/embeddings"))

    assert decoded.outputs is not None
    assert [row[0] for row in decoded.outputs.values] == [[2], [1], [0]]
