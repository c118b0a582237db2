"""Which letters of one worker are too many bytes together, and which of them may become one."""

from collections.abc import Sequence

from dashlight.store.mailbox_names import Found


def oldest_beyond(own: Sequence[Found], most_bytes: int) -> list[Found]:
    """The oldest of *own* without which the others hold *most_bytes* at most; never the newest."""
    size_bytes = 0
    beyond: list[Found] = []
    for place, each in enumerate(sorted(own, key=lambda found: -found.sequence)):
        size_bytes += each.status.st_size
        if place and size_bytes > most_bytes:
            beyond.append(each)
    return beyond


def lightest(own: Sequence[Found], most_bytes: int) -> list[Found]:
    """As many of *own* as hold *most_bytes* at most, the lightest, in the order in which they were posted."""
    size_bytes = 0
    chosen: list[Found] = []
    for each in sorted(own, key=lambda found: (found.status.st_size, found.sequence)):
        size_bytes += each.status.st_size
        if size_bytes > most_bytes:
            break
        chosen.append(each)
    return sorted(chosen, key=lambda found: found.sequence)
