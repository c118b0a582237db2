"""Opens what Dashlight serves itself, and where labels come in, and says what is shown, as the settings have it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dashlight.clock import Clock
from dashlight.metrics.figures import Figures
from dashlight.page.view import View
from dashlight.runtime.showing import Shows
from dashlight.serving.access import Access, token_of
from dashlight.serving.door import Answers
from dashlight.settings import Settings
from dashlight.workers.rendezvous import Meeting

if TYPE_CHECKING:  # it loads Starlette
    from dashlight.serving.labels import Take


def open_answers(
    answers: Answers,
    settings: Settings,
    *,
    figures: Callable[[], Figures | None],
    view: Callable[[], View | None],
    take: Take | None,
    token_file: Path | None,
    clock: Clock,
) -> None:
    """Lets *answers* answer: *figures* and *view* where DASHLIGHT_METRICS is on, and labels are handed to *take* where there is somebody who takes them.

    Without DASHLIGHT_TOKEN the token is in *token_file*, or made there.
    """
    # Loads Starlette, which takes longer than a request may wait.
    from dashlight.serving.app import ServedApp, TakesLabels

    token = token_of(settings.token, token_file)
    labels = None
    if take is not None:
        tokens = filter(None, (settings.labels_token, token))
        labels = TakesLabels(take, Access(*tokens, takes_cookies=False), clock.now)
    shown = (figures, view) if settings.metrics else (None, None)
    answers.open(ServedApp(Access(token), shown[0], labels, shown[1]))


def shows_of(settings: Settings, meeting: Meeting | None) -> Shows:
    """What is made to be shown after every pane: what is served, and what is read in a directory that lasts."""
    return Shows(
        figures=settings.metrics,
        segments=settings.segment_metrics,
        view=settings.metrics or (meeting is not None and meeting.is_lasting),
    )
