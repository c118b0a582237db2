"""Whether the columns that settings name are columns of the reference file."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from dashlight.counting.policy import Policy
from dashlight.counting.selection import unknown_weights, unmatched_globs
from dashlight.errors import SettingsError
from dashlight.judge.words import listed
from dashlight.window.columns import Reference, columns_of

logger = logging.getLogger(__name__)

_VARIABLES = {"feature": "DASHLIGHT_FEATURES", "output": "DASHLIGHT_PREDICTION"}


def check_names(reference: Reference, policy: Policy, *, columns: Mapping[str, str], is_strict: bool) -> None:
    """Says which names no column of *reference* has. *columns* are other names of columns, old to new.

    Raises:
        SettingsError: with *is_strict*, a weight for a column that there is none of.
    """
    unknown = unknown_weights(reference, policy)
    # A file without outputs leaves them to be learned: an unknown name may be one of theirs.
    if unknown and is_strict and columns_of(reference, "output"):
        raise SettingsError("DASHLIGHT_IMPORTANCE", listed(unknown), "columns of the reference")
    if unknown:
        logger.warning("DASHLIGHT_IMPORTANCE of columns that the reference does not have: %s", listed(unknown))
    for role, globs in unmatched_globs(reference, policy, columns=columns):
        logger.warning("%s names what no column of the reference is called: %s", _VARIABLES[role], listed(globs))
