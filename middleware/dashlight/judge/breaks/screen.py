"""A cheap look at all columns at once: which ones deserve a closer one. It decides nothing. Pure."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Role
from dashlight.window.columns import ColumnReference, Profile
from dashlight.window.fitting import fitted
from dashlight.window.profile import LARGEST, NULL_TYPE, NUMBER_TYPE, PRECISIONS, TEXT_TYPE, TRUTH_TYPE
from dashlight.window.recent.values import ABSENT, TEXT_CHARACTERS, RecentRows
from dashlight.window.values import is_single

_ROUNDABLE, _FINEST = 0.7, 0.999
_TYPE_OF_KIND = {"text": TEXT_TYPE, "boolean": TRUTH_TYPE}
_EVERY = 2
"""Half of the rows do for a first look."""
_LAG = 7
"""Rows of one exchange often stand side by side; so far apart they say more."""


class Screen:
    """Looks at the columns of one role."""

    def __init__(self, columns: Sequence[ColumnReference], profiles: Mapping[tuple[Role, str], Profile]) -> None:
        self._columns = tuple(columns)
        self._known = [
            (place, frozenset((*(name[:TEXT_CHARACTERS] for name in (*column.categories, *column.known)), None)))
            for place, column in enumerate(columns)
            if column.kind == "categorical"
        ]
        self._odd_words = np.zeros(len(columns), np.bool_)
        typed = [
            (place, _TYPE_OF_KIND[column.kind]) for place, column in enumerate(columns) if column.kind in _TYPE_OF_KIND
        ]
        self._typed = np.array([place for place, _ in typed], np.intp)
        self._expected = np.array([type_ for _, type_ in typed], np.uint8)[:, np.newaxis]
        numeric = [place for place, column in enumerate(columns) if column.kind == "numeric"]
        found = [profiles[columns[place].role, columns[place].name] for place in numeric]
        self._numeric = np.array(numeric, np.intp)
        quantiles = [np.array(profile.quantiles or (0.0,)) for profile in found]
        self._middle = np.array([np.median(each) for each in quantiles])[:, np.newaxis]
        spread = np.array([np.quantile(each, 0.9) - np.quantile(each, 0.1) for each in quantiles])[:, np.newaxis]
        self._spread = np.where(spread > 0, spread, np.maximum(np.abs(self._middle), 1.0))
        scored = [_scores(each, *ends) for each, *ends in zip(quantiles, self._middle, self._spread, strict=True)]
        self._mean = np.array([score.mean() for score in scored])
        self._size = np.array([np.abs(score).mean() for score in scored])
        ties = [sum(share**2 for _, share in profile.frequent) for profile in found]
        self._ties = np.array([max(tie, profile.repeat_share) for tie, profile in zip(ties, found, strict=True)])
        # Places in PRECISIONS: the finest one to which few values are round, and the finest that any needs.
        round_to = [sum(share <= _ROUNDABLE for share in profile.precisions) - 1 for profile in found]
        finest = [sum(share < _FINEST for share in profile.precisions) for profile in found]
        self._round_to = 10.0 ** np.array([PRECISIONS[max(place, 0)] for place in round_to])[:, np.newaxis]
        self._finest = 10.0 ** np.array([PRECISIONS[min(place, 9)] for place in finest])[:, np.newaxis]
        self._can_round = np.array([place >= 0 for place in round_to], np.bool_)
        self._can_refine = np.array([place < 9 for place in finest], np.bool_)
        self._nulls = np.array([profiles[column.role, column.name].types[NULL_TYPE] for column in columns])

    @property
    def odd_words(self) -> NDArray[np.bool_]:
        """All that is remembered between looks, shape (columns,): whether a column's words were odd at the last look at them."""
        return self._odd_words

    def restore(self, odd_words: NDArray[np.bool_]) -> None:
        """Go on from *odd_words*; ValueError where they are of other columns."""
        self._odd_words = fitted("columns of odd words", odd_words, like=self._odd_words)

    def suspicious(self, rows: RecentRows, *, words: slice) -> NDArray[np.bool_]:
        """The columns that deserve a closer look, shape (columns,); of the categorical ones *words* are looked at anew."""
        flags = np.zeros(len(self._columns), np.bool_)
        missing = ((rows.types == NULL_TYPE) | (rows.types == ABSENT)).mean(axis=1)
        flags |= (missing > 0.9) & (self._nulls <= 0.5)
        if len(self._numeric):
            flags[self._numeric] |= self._suspicious_numbers(rows)
        flags[self._typed] |= (rows.types[self._typed] != self._expected).mean(axis=1) > 0.2 + self._nulls[self._typed]
        for place, known in self._known[words]:
            texts = rows.texts[place, ::_EVERY].tolist()
            self._odd_words[place] = not known.issuperset(texts) or texts.count(texts[-1]) > 0.9 * len(texts)
        flags |= self._odd_words
        return flags

    def _suspicious_numbers(self, rows: RecentRows) -> NDArray[np.bool_]:
        numbers, types = rows.numbers[self._numeric, ::_EVERY], rows.types[self._numeric, ::_EVERY]
        strange = (types > NUMBER_TYPE) & (types != ABSENT)
        known = np.isfinite(numbers)
        count = np.maximum(known.sum(axis=1), 1)
        numbers = np.clip(np.where(known, numbers, self._middle), -LARGEST, LARGEST)
        scores = _scores(numbers, self._middle, self._spread)
        mean, size = scores.sum(axis=1) / count, np.abs(scores).sum(axis=1) / count
        moved = (np.abs(mean - self._mean) > 0.25) | (np.abs(size - self._size) > 0.3 * self._size)
        tied = (numbers[:, _LAG:] == numbers[:, :-_LAG]).mean(axis=1) > self._ties + 0.05
        return np.asarray(moved | tied | (strange.mean(axis=1) > 0.2) | self._odd_digits(numbers))

    def _odd_digits(self, numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
        rounded = (_is_round(numbers, self._round_to).mean(axis=1) > 0.9) & self._can_round
        # The digits that single precision adds are nobody's.
        refined = ((_is_round(numbers, self._finest) | is_single(numbers)).mean(axis=1) < 0.8) & self._can_refine
        return np.asarray(rounded | refined)


def _scores(
    numbers: NDArray[np.float64], middle: NDArray[np.float64], spread: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.clip((numbers - middle) / spread, -2.0, 2.0)


def _is_round(numbers: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.bool_]:
    scaled = numbers * scale
    return np.asarray(np.abs(scaled - np.rint(scaled)) <= np.abs(scaled) * 2e-15)
