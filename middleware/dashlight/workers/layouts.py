"""The layouts of the files that processes share."""

from dashlight.counting.checks import check_briefing, check_pane
from dashlight.counting.machine import Briefing, MachinePane
from dashlight.counting.remains import Remains, check_remains
from dashlight.metrics.figures import Figures, check_figures
from dashlight.page.view import View, check_view
from dashlight.store.layout import Layout

PANE: Layout[MachinePane] = Layout("pane", 1, MachinePane, check_pane)
BRIEFING: Layout[Briefing] = Layout("briefing", 1, Briefing, check_briefing)
REMAINS: Layout[Remains] = Layout("remains", 1, Remains, check_remains)
FIGURES: Layout[Figures] = Layout("figures", 1, Figures, check_figures)
VIEW: Layout[View] = Layout("view", 1, View, check_view)
