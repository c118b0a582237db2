"""Whether rows that are to become a reference were steady: their first half against their second. Pure."""

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.columns.judge import DriftJudge
from dashlight.records import Role, Table
from dashlight.window.bins import Binner
from dashlight.window.facets.facets import expanded, faceted
from dashlight.window.panes import Panes
from dashlight.window.reference.build import reference_steps
from dashlight.window.reference.chunks import Chunk, parts_of
from dashlight.window.reference.steps import Steps, finished
from dashlight.window.tables import taken

PANE_ROWS = 100
"""Rows judged at a time: short against the stretch, long against a burst of rows that came together."""
PANES_BETWEEN_FALSE_ALARMS = 20_000.0
"""The 25 panes of a second half of 2,500 rows then find movement where there is none once in 400 references."""
LEAST_ROWS = 400
"""With fewer there are no two halves to compare."""


def moved_columns(rows: Chunk, *, tolerance: float, rng: np.random.Generator) -> tuple[str, ...]:
    """Columns of *rows*, which are in time order, of which one half drifted away from the other; names, sorted.

    A reference is built of each half and the other is judged by it, as traffic would be: what a half itself shows of
    bursts and seasons is no movement. Both ways, because an incident in the middle of a half looks natural from inside.
    *tolerance* is the smallest movement that counts, as for drift; *rng* chooses as in `build_reference`. Fewer than
    LEAST_ROWS rows are called steady.
    """
    return finished(moved_steps(rows, tolerance=tolerance, rng=rng))


def moved_steps(rows: Chunk, *, tolerance: float, rng: np.random.Generator) -> Steps[tuple[str, ...]]:
    """As `moved_columns`, some rows or columns at a time."""
    moved: set[str] = set()
    for role, table in rows.items():
        if table.rows >= LEAST_ROWS:
            middle = table.rows // 2
            early, late = taken(table, np.arange(middle)), taken(table, np.arange(middle, table.rows))
            for one, other in ((early, late), (late, early)):
                moved |= yield from _moved(role, one, other, tolerance, rng)
    return tuple(sorted(moved))


def _moved(role: Role, usual: Table, judged: Table, tolerance: float, rng: np.random.Generator) -> Steps[set[str]]:
    reference = yield from reference_steps(
        lambda: parts_of({role: usual}), rng=rng, created_at=0.0, least_rows=1, columns_alone=True
    )
    judge = DriftJudge(reference.columns, panes=PANES_BETWEEN_FALSE_ALARMS, tolerance=tolerance, in_steps=True)
    yield from judge.set_up()
    binner, panes = Binner(judge.columns), Panes(len(judge.columns))
    kinds, widths = faceted(reference.columns)
    codes = binner.codes(expanded(judged, kinds, widths=widths, embedded=False)[0])
    of = {column.name: column.of or column.name for column in judge.columns}

    def window(wanted: int) -> tuple[NDArray[np.int64], int]:
        held = panes.window(wanted)
        return held.counts, held.panes

    moved: set[str] = set()
    for start in range(0, codes.shape[1], PANE_ROWS):
        panes.add(binner.count(codes[:, start : start + PANE_ROWS]))
        for alert in judge.update(panes.close(float(start)), float(start), window):
            if alert.state == "firing" and alert.column is not None:
                moved.add(of[alert.column])
        yield
    return moved
