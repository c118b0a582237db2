"""Opens what Dashlight serves itself, and where labels come in, as the settings say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dashlight.clock import Clock
from dashlight.labels.store import LabelStore
from dashlight.metrics.figures import Figures
from dashlight.serving.access import Access, token_of
from dashlight.serving.door import Answers
from dashlight.settings import Settings


def open_answers(
    answers: Answers,
    settings: Settings,
    *,
    figures: Callable[[], Figures | None],
    label_store: LabelStore | None,
    token_file: Path | None,
    clock: Clock,
) -> None:
    """Lets *answers* answer: *figures* where DASHLIGHT_METRICS is on, and labels go to *label_store* where there is one.

    Without DASHLIGHT_TOKEN the token is in *token_file*, or made there.
    """
    # Loads Starlette, which takes longer than a request may wait.
    from dashlight.serving.app import ServedApp, TakesLabels

    token = token_of(settings.token, token_file)
    labels = None
    if label_store is not None:
        tokens = filter(None, (settings.labels_token, token))
        labels = TakesLabels(label_store.label, Access(*tokens, takes_cookies=False), clock.now)
    answers.open(ServedApp(Access(token), figures if settings.metrics else None, labels))
