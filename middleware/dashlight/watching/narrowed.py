"""A reference with as many of its columns as there is memory for: the same for whoever counts and whoever judges. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Role
from dashlight.watching.memory import comparison_bytes, judged_bytes
from dashlight.watching.slices.history import history_bytes
from dashlight.window.columns import (
    ColumnReference,
    DirectionReference,
    LeftOutColumn,
    PairReference,
    Reference,
)
from dashlight.window.normal_scores import joint_places
from dashlight.window.pairs import pairs_of

Places = NDArray[np.intp]


def narrowed(reference: Reference, importance: Mapping[str, float], *, most_bytes: int) -> Reference:
    """*reference*, if judging it takes more than *most_bytes*, with fewer columns; the others are left out.

    Outputs stay first, then what *importance* names highest, then the first columns. What is measured of a text or a
    vector stays or goes with it. Payloads, which were made of all columns, are no longer known.
    """
    if comparison_bytes(reference) <= most_bytes:
        return reference
    groups = _groups(reference.columns)
    ranked = sorted(groups, key=lambda whole: (whole[0] != "output", -importance.get(whole[1], 1.0)))
    alone = {whole: _alone_bytes(reference, whole, places) for whole, places in groups.items()}
    kept: set[int] = set()
    # Pairs and joint rows have a fixed number of columns at most: their part is set aside.
    left_bytes = (
        most_bytes - judged_bytes(replace(reference, columns=(), directions=_joint(reference))) - history_bytes(0)
    )
    for whole in ranked:
        if alone[whole] <= left_bytes:
            left_bytes -= alone[whole]
            kept.update(groups[whole])
    return _of_columns(reference, np.array(sorted(kept), np.intp))


def _groups(columns: Sequence[ColumnReference]) -> dict[tuple[Role, str], list[int]]:
    """Places of each column and what is measured of it, by role and name."""
    groups: dict[tuple[Role, str], list[int]] = {}
    for place, column in enumerate(columns):
        groups.setdefault((column.role, column.of or column.name), []).append(place)
    return groups


def _joint(reference: Reference) -> tuple[DirectionReference, ...]:
    return tuple(each for each in reference.directions if not each.name)


def _alone_bytes(reference: Reference, whole: tuple[Role, str], places: Collection[int]) -> int:
    columns = tuple(reference.columns[place] for place in places)
    directions = tuple(each for each in reference.directions if each.name and each.name == whole[1])
    judged = judged_bytes(replace(reference, columns=columns, directions=directions, pairs=None))
    return judged + history_bytes(len(columns)) - history_bytes(0)


def _of_columns(reference: Reference, places: Places) -> Reference:
    columns: tuple[ColumnReference, ...] = tuple(reference.columns[int(place)] for place in places)
    stays = {(column.role, column.name) for column in columns}
    gone = [each for each in reference.columns if (each.role, each.name) not in stays and not each.of]
    named = {column.name for column in columns}
    directions = [each for each in reference.directions if each.name in named]
    directions += [joint for each in _joint(reference) if (joint := _of_joint(reference, each, places)) is not None]
    return replace(
        reference,
        columns=columns,
        pairs=None if reference.pairs is None else _of_pairs(reference.pairs, places),
        directions=tuple(directions),
        left_out=(*reference.left_out, *(LeftOutColumn(each.role, each.name, "memory") for each in gone)),
        payloads=None,
        sample=None if reference.sample is None else np.ascontiguousarray(reference.sample[places]),
    )


def _of_pairs(pairs: PairReference, places: Places) -> PairReference | None:
    stays = np.isin(pairs.places, places)
    if stays.sum() < 2:
        return None
    first, second = pairs_of(len(pairs.names))
    both = stays[first] & stays[second]
    return PairReference(
        names=tuple(name for name, each in zip(pairs.names, stays.tolist(), strict=True) if each),
        places=np.searchsorted(places, pairs.places[stays]).astype(pairs.places.dtype),
        signs=pairs.signs[stays],
        shares=pairs.shares[both],
        trials=pairs.trials[both],
        phi=pairs.phi[both],
        tau=pairs.tau[both],
    )


def _of_joint(reference: Reference, joint: DirectionReference, places: Places) -> DirectionReference | None:
    """The joint rows of the columns at *places*; None where these were not all among the joint rows before."""
    before = joint_places(reference.columns)
    taken: list[ColumnReference] = [reference.columns[int(place)] for place in places]
    after = places[joint_places(taken)]
    if len(before) != joint.dims or len(after) < 2 or not np.isin(after, before).all():
        return None
    at = np.searchsorted(before, after)
    return replace(
        joint,
        width=len(at),
        centre=joint.centre[at],
        spread=joint.spread[at],
        covariance=np.ascontiguousarray(joint.covariance[np.ix_(at, at)]),
        mean=joint.mean[at],
        rows=np.ascontiguousarray(joint.rows[:, at]),
        block_means=tuple(np.ascontiguousarray(means[:, at]) for means in joint.block_means),
    )
