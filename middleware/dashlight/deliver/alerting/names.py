"""What routes are called: without secrets, apart from one another, and the same after a restart."""

from collections.abc import Collection
from hashlib import blake2b

_MARK = " (#"
_MARK_BYTES = 2
"""Enough to tell a few addresses apart, and next to nothing for whoever guesses at a secret in one."""


def marked(name: str, address: str) -> str:
    """*name* with a mark of the *address*, of which it may not show more."""
    return f"{name}{_MARK}{blake2b(address.encode(errors='surrogatepass'), digest_size=_MARK_BYTES).hexdigest()})"


def heir_of(gone: str, before: Collection[str], now: Collection[str]) -> str | None:
    """Which of the routes *now* takes over what was owed to *gone*, one of the routes *before* that is there no more.

    One whose address was corrected: of the same name but for the mark, the only new one, where no other like it is gone.
    """
    alike = [name for name in (*before, *now) if _unmarked(name) == _unmarked(gone)]
    lost = {name for name in alike if name not in now}
    new = [name for name in alike if name not in before]
    return new[0] if len(new) == 1 and lost == {gone} else None


def _unmarked(name: str) -> str:
    return name.partition(_MARK)[0]
