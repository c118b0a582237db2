"""From settings to a running Monitor: the only place where the environment becomes objects.

`request_path.py` makes what a request meets, `analysis.py` what follows the inbox, `machine.py` who shares.
Imports: everything below `asgi`; what is heavy is imported inside functions, on the analysis thread.
"""

from dashlight.runtime.assembly.analysis import analysis
from dashlight.runtime.assembly.request_path import assemble

__all__ = ["analysis", "assemble"]
