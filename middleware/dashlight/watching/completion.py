"""A reference file without outputs, completed by outputs that are learned: how the two share a model's budget. Pure."""

from __future__ import annotations

from collections.abc import Collection

from dashlight.judge.alert_budget import LEARNED_OUTPUTS
from dashlight.window.columns import Reference, columns_of


def version_of(reference: Reference | None) -> str:
    """The version of *reference*; empty where there is none."""
    return "" if reference is None else reference.version


def completed_share(reference: Reference, file: Reference | None, compared: Collection[str]) -> float:
    """The part of a model's budget of the comparison with *reference*, beside those of the versions that are *compared*."""
    if reference.version == version_of(file):
        return 1.0 if columns_of(reference, "output") else 1 - LEARNED_OUTPUTS
    return LEARNED_OUTPUTS if set(compared) - {reference.version} else 1.0


def is_incomplete(file: Reference | None, compared: Collection[str]) -> bool:
    """Whether the only version *compared* is that of a *file* that holds no outputs."""
    return file is not None and [*compared] == [file.version] and not columns_of(file, "output")
