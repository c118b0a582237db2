"""The layouts of the files that processes share."""

from dashlight.counting.checks import check_briefing, check_pane
from dashlight.counting.machine import Briefing, HostPane
from dashlight.store.layout import Layout

PANE: Layout[HostPane] = Layout("pane", 1, HostPane, check_pane)
BRIEFING: Layout[Briefing] = Layout("briefing", 1, Briefing, check_briefing)
FIGURES: Layout[bytes] = Layout("figures", 1, bytes)
