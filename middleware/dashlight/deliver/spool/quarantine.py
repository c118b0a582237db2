"""Where damaged segments go: out of the way, for whoever wants to look, until the budget needs the room."""

from pathlib import Path

from dashlight.deliver.spool.directories import QUARANTINE
from dashlight.deliver.spool.segments import Segment
from dashlight.store.private import make_directory


def set_aside(root: Path, segment: Segment) -> None:
    """Moves a damaged segment to `quarantine/`; OSError or StateError where that is not possible.

    One rename, so that a kill leaves it here or there. What was settled of it is in the file, too, and is not sent again:
    nothing there is.
    """
    aside = root / QUARANTINE
    make_directory(aside)
    segment.path.rename(aside / f"{segment.directory.name}.{segment.name}")
