"""From settings to a running Monitor: the only place where the environment becomes objects."""

from dashlight.assembly.analysis import analysis
from dashlight.assembly.request_path import assemble

__all__ = ["analysis", "assemble"]
