"""What the operator gave to compare with."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dashlight.counting.references import References
from dashlight.store.learned import LearnedReferences
from dashlight.store.reference_file import ReferenceFile
from dashlight.window.columns import Reference
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.file import dump

LEARNED = LearnedReferences(None)


def reference_of(age: float) -> Reference:
    rng = np.random.default_rng(1)
    return build_reference_from_columns({"age": rng.normal(age, 10, 300)}, {}, rng=rng, created_at=0.0)


def test_the_operator_gave_nothing_or_one_reference() -> None:
    reference = reference_of(40)

    assert References(LEARNED).given is None
    assert References(LEARNED, reference).given is reference


def test_a_file_that_is_followed_is_given_as_it_was_read_last(tmp_path: Path) -> None:
    path = tmp_path / "reference.json"
    file = ReferenceFile(path)
    references = References(LEARNED, file=file)
    assert references.given is None

    given: list[str] = []
    for age in (40, 50):
        path.write_bytes(dump(reference_of(age)))
        file.read()
        given.append("" if references.given is None else references.given.version)

    assert given == [reference_of(40).version, reference_of(50).version]
