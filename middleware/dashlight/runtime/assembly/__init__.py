"""From settings to a running Monitor: the only place where the environment becomes objects."""

from dashlight.runtime.assembly.analysis import analysis
from dashlight.runtime.assembly.request_path import assemble

__all__ = ["analysis", "assemble"]
