"""What is done with a part of a state that cannot be taken over."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Lose: TypeAlias = Callable[[str, Exception], None]
"""Takes the name of a part of a state that cannot be taken over, and why."""


def tried(part: str, restore: Callable[[], object], lose: Lose) -> bool:
    """Whether *part* of a state could be taken over; if not, it is handed to *lose*."""
    try:
        restore()
    except Exception as error:  # a file can say anything: counted and told by *lose*
        lose(part, error)
        return False
    return True
