"""The layouts of the files that processes share."""

from dashlight.counting.checks import check_briefing, check_pane
from dashlight.counting.machine import Briefing, MachinePane
from dashlight.metrics.figures import Figures, decode, encode
from dashlight.store.frozen import Buffer
from dashlight.store.layout import Layout

PANE: Layout[MachinePane] = Layout("pane", 1, MachinePane, check_pane)
BRIEFING: Layout[Briefing] = Layout("briefing", 1, Briefing, check_briefing)


class FigureLayout:
    """Figures in a layout of their own: any process that is asked for them reads them, and nothing else."""

    def freeze(self, value: Figures, /) -> list[Buffer]:
        """The bytes of *value*, in one piece."""
        return [encode(value)]

    def thaw(self, blob: bytearray, /) -> Figures:
        """The figures that *blob* holds; StateError where it holds none."""
        return decode(blob)


FIGURES = FigureLayout()
