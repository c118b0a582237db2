"""What is shown of a machine, as the bytes that every process of it sends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from dashlight.page.shape import ShownStatus
from dashlight.page.versions import ShownVersions
from dashlight.window.fitting import moment, within

MOST_BYTES: Final = 4 << 20
"""Of each of its parts."""


@dataclass(frozen=True, slots=True)
class View:
    """The answers of `/api/v1` at a moment, as JSON in UTF-8."""

    at: float
    status: bytes
    versions: bytes


def view_of(status: ShownStatus, versions: ShownVersions) -> View:
    """The bytes of both."""
    return View(status.at, msgspec.json.encode(status), msgspec.json.encode(versions))


def check_view(view: View) -> None:
    """Raises ValueError where *view*, read from a file, cannot be."""
    moment("the moment of a view", view.at)
    for part in (view.status, view.versions):
        within("bytes of a view", len(part), 0, MOST_BYTES)
