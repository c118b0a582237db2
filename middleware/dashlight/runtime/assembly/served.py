"""Opens what Dashlight serves itself, and where labels come in, as the settings say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dashlight.clock import Clock
from dashlight.metrics.figures import Figures
from dashlight.serving.access import Access, token_of
from dashlight.serving.door import Answers
from dashlight.settings import Settings

if TYPE_CHECKING:  # it loads Starlette
    from dashlight.serving.labels import Take


def open_answers(
    answers: Answers,
    settings: Settings,
    *,
    figures: Callable[[], Figures | None],
    take: Take | None,
    token_file: Path | None,
    clock: Clock,
) -> None:
    """Lets *answers* answer: *figures* where DASHLIGHT_METRICS is on, and labels are handed to *take* where there is somebody who takes them.

    Without DASHLIGHT_TOKEN the token is in *token_file*, or made there.
    """
    # Loads Starlette, which takes longer than a request may wait.
    from dashlight.serving.app import ServedApp, TakesLabels

    token = token_of(settings.token, token_file)
    labels = None
    if take is not None:
        tokens = filter(None, (settings.labels_token, token))
        labels = TakesLabels(take, Access(*tokens, takes_cookies=False), clock.now)
    answers.open(ServedApp(Access(token), figures if settings.metrics else None, labels))
