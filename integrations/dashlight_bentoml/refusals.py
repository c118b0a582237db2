"""The exceptions of APIs, which BentoML turns into answers before anybody sees them."""

from __future__ import annotations

from typing import Any

from dashlight_bentoml.call import call_of
from dashlight_bentoml.foreign import Request


def watch_endpoints(factory: Any) -> None:
    """Has what answers the routes of a service tell each call its exception, and each task its status."""
    if factory is None or "api_endpoint" in vars(factory):
        return
    answer, answer_task = factory.api_endpoint, factory.api_endpoint_wrapper

    async def api_endpoint(name: str, request: Request) -> Any:
        try:
            return await answer(name, request)
        except Exception as error:
            call = call_of(request)
            if call is not None:
                call.fail(error)
            raise

    async def api_endpoint_wrapper(name: str, request: Request) -> Any:
        response = await answer_task(name, request)
        call = call_of(request)
        if call is not None:
            call.task_status = response.status_code
        return response

    factory.api_endpoint = api_endpoint
    # Of the routes each has its own reference to it by now: this one is for tasks, which look it up when they begin.
    factory.api_endpoint_wrapper = api_endpoint_wrapper
