"""`opentelemetry-instrument`, whose sitecustomize would stand before ours and run no other."""

from __future__ import annotations

import os
from functools import wraps
from typing import Any

from dashlight.zero_code.start.sitecustomize import MARK, come_first


def patch(module: Any) -> None:
    """Has `opentelemetry-instrument` leave our directory first on PYTHONPATH when it starts its command."""
    execute = module.execl

    @wraps(execute)
    def execute_with_hook(*command: Any) -> None:
        directory = os.environ.get(MARK)
        if directory:
            come_first(directory)
        execute(*command)

    module.execl = execute_with_hook
