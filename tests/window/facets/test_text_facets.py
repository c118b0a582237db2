"""Numbers that stand for texts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.window.facets.text_facets import MOST_CHARACTERS, TEXT_FACETS, text_facets


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", [0, 0, 0, 0, 0, 0, 0], id="empty"),
        pytest.param("   ", [3, 0, 0, 0, 0, 0, 0], id="spaces"),
        pytest.param("Ab 12, c", [8, 3, 2, 2 / 8, 1 / 8, 1 / 8, 0], id="letters, digits, a sign"),
        pytest.param("\tno tabs\nno\x0blines ", [18, 4, 3.25, 0, 0, 0, 0], id="spaces of all sorts"),
        pytest.param("Ärger\u00a0über", [10, 2, 4.5, 0, 1 / 10, 0, 3 / 10], id="beyond ASCII"),
        pytest.param("日本語。", [4, 1, 4, 0, 0, 1 / 4, 1], id="a script without spaces"),
        pytest.param("ok 😀", [4, 2, 1.5, 0, 0, 1 / 4, 1 / 4], id="an emoji"),
        pytest.param("\U00020000", [1, 1, 1, 0, 0, 0, 1], id="a rare Chinese character"),
        pytest.param("x\x00y", [3, 2, 1, 0, 0, 0, 0], id="the character that parts texts"),
        pytest.param("\ud800", [1, 1, 1, 0, 0, 0, 1], id="half of a pair"),
    ],
)
def test_facets_of_a_text_are_what_one_counts_by_hand(text: str, expected: list[float]) -> None:
    found = text_facets(["before it", text, "und Ände 1!"])[:, 1]

    assert found.tolist() == pytest.approx(expected)


@given(st.lists(st.text(max_size=30), max_size=20))
def test_a_text_has_the_same_facets_alone_and_among_others(texts: list[str]) -> None:
    together = text_facets(texts)

    assert together.shape == (len(TEXT_FACETS), len(texts))
    for place, text in enumerate(texts):
        assert together[:, place].tolist() == text_facets([text])[:, 0].tolist()


@given(st.text())
def test_counts_agree_with_python(text: str) -> None:
    facets = dict(zip(TEXT_FACETS, text_facets([text])[:, 0], strict=True))
    words = text.replace("\0", " ").split()

    assert facets["length"] == len(text)
    assert facets["words"] == len(words)
    assert facets["word_length"] == pytest.approx(np.mean([len(word) for word in words]) if words else 0)


def test_of_a_long_text_only_the_beginning_is_looked_at_but_its_length_is_known() -> None:
    text = "a" * MOST_CHARACTERS + "1" * 1000

    length, words, word_length, digits, *_ = text_facets([text])[:, 0]

    assert (length, words, word_length, digits) == (MOST_CHARACTERS + 1000, 1, MOST_CHARACTERS, 0)


def test_hundreds_of_texts_are_looked_at_in_parts() -> None:
    texts = ["one two"] * 300 + ["three"] * 300

    words = text_facets(texts)[1]

    assert words.tolist() == [2] * 300 + [1] * 300
