"""Rows of features and outputs side by side: what pairs of columns and whole rows are judged by."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Role
from dashlight.window.layout import NULL

_ROLES: tuple[Role, Role] = ("feature", "output")


def joint_codes(codes: Mapping[Role, NDArray[np.uint8]], columns: Mapping[Role, int]) -> NDArray[np.uint8]:
    """The bins of all columns, features before outputs, shape (sum of *columns*, rows).

    *codes* has the bins of each role, shape (columns of the role, its rows). Where the two are not of one length (a
    ranking of fifteen answers one row) nobody knows which belong together: the rows are those of the features, and the
    outputs are null in each. A role that is not there is null as well.
    """
    rows = max((codes[role].shape[1] for role in _ROLES[:1] if role in codes), default=0)
    rows = rows or max((held.shape[1] for held in codes.values()), default=0)
    beside: list[NDArray[np.uint8]] = []
    for role in _ROLES:
        held = codes.get(role)
        fits = held is not None and held.shape[1] == rows
        beside.append(held if held is not None and fits else np.full((columns.get(role, 0), rows), NULL, np.uint8))
    return np.concatenate(beside)
