"""Texts as vectors of their words."""

from __future__ import annotations

import subprocess
import sys
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.window.facets.text_words import DIMENSIONS, hashed_words


def likeness(one: str, other: str) -> float:
    rows = hashed_words([one, other])
    return float(rows[0] @ rows[1])


def test_one_word_stands_in_one_dimension() -> None:
    row = hashed_words(["word"])[0]

    # The checksum of the word, its bits spread as C. Wellons' lowbias32 spreads them.
    spread = crc32(b"word")
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        spread = (spread ^ spread >> shift) * factor % 2**32
    spread ^= spread >> 16
    assert np.flatnonzero(row).tolist() == [spread % DIMENSIONS]
    assert row[spread % DIMENSIONS] == (-1 if spread >> 31 else 1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("The quick, brown fox!", "the QUICK brown (fox)", id="case and signs"),
        pytest.param("Größe — größer", "GRÖßE\u00a0größer", id="beyond ASCII"),
        pytest.param("a\x00b", "a b", id="the character that parts texts"),
    ],
)
def test_texts_of_the_same_words_are_the_same(one: str, other: str) -> None:
    assert likeness(one, other) == pytest.approx(1)


def test_the_order_of_words_matters() -> None:
    assert likeness("dog bites man", "man bites dog") == pytest.approx(0.6, abs=0.25)


def test_texts_share_as_much_as_their_words() -> None:
    assert likeness("one two three four", "one two three five") > 0.5
    assert abs(likeness("one two three four", "red green blue black")) < 0.3


@pytest.mark.parametrize(
    ("one", "other", "alien"),
    [
        pytest.param("日本語を話します", "日本語を話しません", "天気がとても良い", id="japanese"),
        pytest.param("ACGTACGTTTGACCATGCAAGT", "ACGTACGTTTGACCATGCAAGC", "GGGGGCCCCCTTTTTAAAAAGG", id="letters of DNA"),
    ],
)
def test_where_there_are_no_spaces_neighbouring_characters_are_compared(one: str, other: str, alien: str) -> None:
    assert likeness(one, other) > 0.5
    assert abs(likeness(one, alien)) < 0.4


@pytest.mark.parametrize("text", ["", "  ", "!?", "😀"], ids=["empty", "spaces", "signs", "an emoji"])
def test_a_text_without_words_is_nought(text: str) -> None:
    assert not hashed_words(["word", text, "word"])[1].any()


@given(st.lists(st.text(max_size=30), max_size=20))
def test_a_text_is_the_same_alone_and_among_others(texts: list[str]) -> None:
    together = hashed_words(texts)

    assert together.shape == (len(texts), DIMENSIONS)
    for place, text in enumerate(texts):
        assert together[place].tolist() == hashed_words([text])[0].tolist()


@given(st.lists(st.text(), max_size=5))
def test_each_row_is_of_length_one_or_nought(texts: list[str]) -> None:
    lengths = np.linalg.norm(hashed_words(texts), axis=1)

    assert all(length == pytest.approx(1, abs=1e-5) or length == 0 for length in lengths)


def test_every_process_hashes_alike() -> None:
    script = "from dashlight.window.facets.text_words import hashed_words as h; print(h(['some words, 日本語']).tobytes().hex())"

    found = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, env={"PYTHONHASHSEED": "7"}
    )

    assert found.stdout.strip() == hashed_words(["some words, 日本語"]).tobytes().hex()
