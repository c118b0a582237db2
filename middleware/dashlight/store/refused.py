"""Files that were refused, out of the way: kept for whoever wants to know why, and not met again at the next start."""

from contextlib import suppress
from pathlib import Path

REFUSED = ".refused"
"""End of the names of files that were put aside."""
MOST_REFUSED = 4
"""Of one directory: the newest stay."""


def put_aside(path: Path) -> bool:
    """Renames the file at *path*, which nobody else may be using; whether that went well."""
    try:
        aside = path.rename(path.with_name(path.name + REFUSED))
    except OSError:
        return False
    with suppress(OSError):  # others put something aside, or tidied, at the same time
        older = [other for other in path.parent.glob(f"*{REFUSED}") if other != aside]
        older.sort(key=lambda other: other.lstat().st_ctime_ns)
        for oldest in older[: max(len(older) + 1 - MOST_REFUSED, 0)]:
            oldest.unlink()
    return True
