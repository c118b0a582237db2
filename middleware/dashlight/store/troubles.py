"""What went wrong with shared files: each time counted, the first time said."""

import logging
from collections import Counter


def count_trouble(troubles: Counter[str], kind: str, sentence: str, *, logger: logging.Logger) -> None:
    """Counts one trouble of *kind* in *troubles*; the first of its kind becomes a warning that says *sentence*."""
    troubles[kind] += 1
    if troubles[kind] == 1:
        logger.warning("%s (said once, counted from now on)", sentence)
