import re

import pytest
from benchmarks.decoding import Speed, speeds, table, verdict
from benchmarks.decoding_bodies import COLUMNS
from benchmarks.decoding_exchanges import KINDS, PLAIN_OBJECT, exchanges

from dashlight.decode.exchange import decode_exchange

ROWS = {"plain JSON: a list of 8 objects": 8, "OpenAI embeddings: 2 x 384 numbers": 2, "OpenAI embeddings: base64": 2}


@pytest.mark.parametrize("title", KINDS)
def test_every_kind_is_read_as_what_it_is(title: str) -> None:
    [exchange] = exchanges(title, 1)

    decoded = decode_exchange(exchange)

    assert (decoded.protocol, decoded.undecodable) == (KINDS[title][0], "")
    assert decoded.rows == ROWS.get(title, 1)
    assert decoded.features is not None
    assert decoded.outputs is not None
    assert decoded.features.names
    assert decoded.outputs.names


def test_the_rows_of_formats_with_columns_are_of_35_columns() -> None:
    widths = {}
    for title in (PLAIN_OBJECT, "MessagePack", "Arrow", "Parquet", "KServe V1", "MLflow: split", "Seldon", "Azure ML"):
        sheet = decode_exchange(exchanges(title, 1)[0]).features
        widths[title] = set(sheet.names) if sheet is not None else set()

    assert set(map(frozenset, widths.values())) == {frozenset(COLUMNS)}


def test_the_exchanges_of_a_kind_all_differ_and_come_again() -> None:
    first, again = exchanges(PLAIN_OBJECT, 20), exchanges(PLAIN_OBJECT, 20)

    assert first == again
    assert len({exchange.request_body for exchange in first}) == 20


def test_what_is_measured_is_told_beside_plain_json() -> None:
    found = [Speed(PLAIN_OBJECT, "plain", 750, 4.0, 30.0), Speed("Seldon", "seldon_v1", 800, 50.0, 45.0)]

    lines = table(found).splitlines()

    assert lines[2].split() == ["Seldon", "seldon_v1", "800", "50.0", "12.5", "45.0", "1.5"]


@pytest.mark.parametrize(("batch_us", "said"), [(4.99, "met"), (5.0, "MISSED")])
def test_the_target_is_met_or_missed(batch_us: float, said: str) -> None:
    assert verdict([Speed(PLAIN_OBJECT, "plain", 750, batch_us, 30.0)]).endswith(f": {said}")


def test_a_run_measures_the_decoder_of_the_server() -> None:
    [plain, text] = speeds([PLAIN_OBJECT, "Hugging Face: a text"], rounds=2, batch=32)

    assert (plain.protocol, text.protocol) == ("plain", "huggingface")
    assert 0 < plain.batch_us < plain.single_us
    assert re.match(r"us of CPU", table([plain, text]))
