"""Every service watched without a line of code: `dashlight run -- bentoml serve ...`."""

from __future__ import annotations

import logging
from functools import wraps
from typing import Any

from dashlight.errors import traced
from dashlight_bentoml.service import watch

logger = logging.getLogger(__name__)


def patch(module: Any) -> None:
    """Has each service watched for which `_bentoml_impl.server.app`, as *module*, makes an app."""
    begin = module.ServiceAppFactory.__init__

    @wraps(begin)
    def begin_watched(factory: Any, service: Any, *arguments: Any, **named: Any) -> None:
        try:
            watch(service)
        except Exception as error:
            logger.error("monitoring is off: the service could not be watched: %s", traced(error))  # noqa: TRY400 - no message
        begin(factory, service, *arguments, **named)

    module.ServiceAppFactory.__init__ = begin_watched
