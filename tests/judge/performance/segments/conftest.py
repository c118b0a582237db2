"""A model of two classes that is wrong in one of ten rows, in five segments as large, and its reference."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.labels.rows import Floats, LabelledRows
from dashlight.window.columns import ColumnReference, Reference
from dashlight.window.layout import BINS, STRUCTURAL_BINS
from dashlight.window.parts.segments import NO_SEGMENT, Segmentation, SegmentColumn
from dashlight.window.performance_reference import PerformanceReference, ReferenceLoss

MakeRows: TypeAlias = Callable[..., LabelledRows]
MakeReference: TypeAlias = Callable[..., Reference]
NAMES = ("UA", "AA", "DL", "WN", "B6")
HOUR = 3600.0
START = 1_790_000_000.0 // HOUR * HOUR
EDGES = np.array([0.1, 0.2, 0.8, 0.9])


def rows_of(
    rng: np.random.Generator,
    segments: NDArray[np.int64],
    *,
    at: float = START,
    risks: Floats | None = None,
    reference: str = "r",
    segmented_by: tuple[str, ...] = ("carrier",),
) -> LabelledRows:
    count = len(segments)
    wrong = rng.uniform(0.0, 0.2, count)
    scores = np.where(rng.random(count) < 0.5, wrong, 1 - wrong)
    risk = np.clip(wrong + (0.0 if risks is None else risks[segments]), 0, 1)
    labels = np.where(rng.random(count) < risk, scores < 0.5, scores >= 0.5).astype(np.float64)
    return LabelledRows(
        model=("/predict", "risk", "1"),
        task="binary",
        classes=("no", "yes"),
        predicted_at=np.full(count, at - HOUR / 2),
        labelled_at=np.full(count, at),
        scores=scores,
        predictions=(scores >= 0.5).astype(np.int32),
        labels=labels,
        steps=np.zeros(count, np.int32),
        is_implied=np.zeros(count, np.bool_),
        segments=segments.astype(np.uint8)[np.newaxis],
        segmented_by=segmented_by,
        reference=reference,
        sampled=np.arange(count),
        codes=(segments + STRUCTURAL_BINS).astype(np.uint8)[np.newaxis],
        origins=np.frombuffer(b"".join(n.to_bytes(16, "big") for n in range(count)), "V16"),
    )


@pytest.fixture
def make_rows() -> MakeRows:
    """Rows of some segments, at risks of their own beside what their scores say."""
    return rows_of


@pytest.fixture
def make_reference() -> MakeReference:
    def make(segments: NDArray[np.int64], *, risks: Floats | None = None, seed: int = 900) -> Reference:
        rows = rows_of(np.random.default_rng(seed), segments, risks=risks)
        codes = (segments + STRUCTURAL_BINS).astype(np.uint8)
        column = ColumnReference(
            name="carrier",
            role="feature",
            kind="categorical",
            rows=len(codes),
            counts=np.bincount(codes, minlength=BINS).astype(np.int64),
            edges=np.zeros(0),
            low=-np.inf,
            high=np.inf,
            categories=NAMES,
            known=frozenset(),
            single_block_rows=0,
            shown=True,
        )
        bins = np.searchsorted(EDGES, rows.scores, side="right")
        wrong = np.bincount(bins, rows.labels != rows.predictions, minlength=5).astype(np.float64)
        loss = ReferenceLoss("error", 1.0, EDGES, np.bincount(bins, minlength=5), wrong, wrong)
        performance = PerformanceReference(
            "binary",
            ("no", "yes"),
            "y",
            "score",
            "",
            len(segments),
            rows.scores,
            rows.predictions,
            rows.labels,
            (loss,),
        )
        return Reference((column,), "file", True, "r", START, sample=codes[np.newaxis], performance=performance)

    return make


@pytest.fixture
def members() -> NDArray[np.int64]:
    """The segments of 5,000 rows."""
    return np.arange(5_000) % 5


@pytest.fixture
def segmentation() -> Segmentation:
    groups = np.full(BINS, NO_SEGMENT, np.uint8)
    groups[STRUCTURAL_BINS : STRUCTURAL_BINS + 5] = np.arange(5)
    return Segmentation("r", (SegmentColumn("carrier", 0, groups, NAMES, 0),))
