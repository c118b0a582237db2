import base64
import json
import zlib

import numpy as np
import pytest

from dashlight.errors import ReferenceDataError
from dashlight.window.columns import MOST_SAMPLED
from dashlight.window.layout import BINS
from dashlight.window.reference.row_sample import RowSample, parsed_sample, sample_content


def packed(raw: bytes) -> str:
    return base64.b64encode(zlib.compress(raw)).decode()


def codes_of(rows: int, columns: int = 3) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return (np.arange(rows) % BINS + np.arange(columns)[:, None]).astype(np.uint8) % BINS


@pytest.mark.parametrize("step", [1, 7, 100, 1000])
def test_few_rows_are_all_kept_in_their_order(step: int) -> None:
    codes = codes_of(300)
    meter = RowSample(3, rng=np.random.default_rng(1))

    for start in range(0, 300, step):
        meter.add(codes[:, start : start + step])

    sample, rows = meter.sample()
    assert sample.tolist() == codes.tolist()
    assert rows.tolist() == list(range(300))


def test_of_many_rows_each_stays_with_its_number_and_none_twice() -> None:
    codes = codes_of(5000)
    meter = RowSample(3, rng=np.random.default_rng(1), most_rows=200)

    for start in range(0, 5000, 333):
        meter.add(codes[:, start : start + 333])

    sample, rows = meter.sample()
    assert sample.shape == (3, 200)
    assert (np.diff(rows) > 0).all()
    assert sample.tolist() == codes[:, rows].tolist()


def test_every_row_is_as_likely_to_be_drawn() -> None:
    drawn = np.zeros(100)
    rng = np.random.default_rng(3)
    for _ in range(2000):
        meter = RowSample(1, rng=rng, most_rows=10)
        for _ in range(4):
            meter.add(np.zeros((1, 25), np.uint8))
        drawn[meter.sample()[1]] += 1

    # Each of 2,000 samples holds a row with probability 0.1: 200 times, give or take 13.4.
    chi_square = ((drawn - 200) ** 2 / 200).sum()
    assert (
        chi_square < 135
    )  # the 99 % quantile of 99 degrees of freedom, and more than is needed for draws without return


def test_no_rows_give_an_empty_sample() -> None:
    sample, rows = RowSample(4, rng=np.random.default_rng(1)).sample()

    assert (sample.shape, rows.shape) == ((4, 0), (0,))


def test_what_was_written_is_read_again() -> None:
    sample = codes_of(500)

    found = parsed_sample(json.loads(json.dumps(sample_content(sample))), 3)

    assert found.dtype == np.uint8
    assert found.tolist() == sample.tolist()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rows": -1}, "rows"),
        ({"rows": MOST_SAMPLED + 1}, "20000"),
        ({"rows": "5"}, "rows"),
        ({"codes": 5}, "codes"),
        ({"more": 5}, "more"),
        ({"codes": "no base64"}, "unpacked"),
        ({"codes": base64.b64encode(b"no zlib").decode()}, "unpacked"),
        ({"codes": packed(bytes(16))}, "length"),
        ({"codes": packed(bytes(10**6))}, "length"),
        ({"codes": packed(bytes(14))}, "14 codes of 5 rows of 3 columns"),
        ({"codes": packed(bytes([BINS] * 15))}, "a bin beyond"),
    ],
)
def test_what_cannot_be_is_refused(changed: dict[str, object], said: str) -> None:
    content = sample_content(codes_of(5)) | changed

    with pytest.raises(ReferenceDataError, match=f"sample of rows what cannot be.*{said}"):
        parsed_sample(content, 3)
