"""What a reference knows of repeated rows, written and read again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dashlight.errors import ReferenceDataError
from dashlight.window.payload_reference import PayloadReference
from dashlight.window.payloads.payloads_file import parsed_payloads, payloads_content

MADE = PayloadReference(
    2**64 - 1, "feature", 1000, 0.9, np.array([3, 2**63], np.uint64), np.array([60, 5], np.int64), 2, 0.5
)


def test_what_was_written_is_read_again() -> None:
    read = parsed_payloads(payloads_content(MADE))

    assert payloads_content(read) == payloads_content(MADE)
    assert read.hashes.tolist() == [3, 2**63]
    assert (read.key, read.role, read.block_share) == (2**64 - 1, "feature", 0.5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("key", "7"),
        ("role", "both"),
        ("rows", -1),
        ("alone_share", 1.1),
        ("frequent", [["00", 1]]),
        ("frequent", [["0" * 16, 1]] * 65),
        ("unlisted_count", "one"),
        ("block_share", None),
        ("more", 1),
    ],
)
def test_nonsense_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ReferenceDataError, match="says of repeated rows what cannot be"):
        parsed_payloads({**payloads_content(MADE), name: value})
