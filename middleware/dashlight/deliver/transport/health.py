"""What the log hears of a destination: one line when it starts to fail, one when it recovers."""

import logging

from dashlight.deliver.transport.answer import CollectorAnswer

REMIND_SECONDS = 600.0
"""A mistake of configuration, or a loss, is said again after this long."""

_logger = logging.getLogger(__name__)


class Health:
    """Counts failures in a row and speaks sparingly. Moments are seconds on the monotonic clock."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.troubled = False
        self.trouble = ""
        """What the last attempt that failed met; empty since one went well."""
        self._silent_until: dict[str, float] = {}
        self.failures = 0

    def delivered(self) -> None:
        """A batch arrived."""
        if self.troubled:
            _logger.info("%s are delivered again", self._name)
        self.troubled, self.trouble = False, ""
        self._silent_until.pop("misconfigured", None)
        self.failures = 0

    def reached(self) -> None:
        """There was an answer, if no welcome one: the way there is open."""
        self.failures = 0

    def failed(self, answer: CollectorAnswer | str) -> None:
        """An attempt failed in a way that passes."""
        if not self.troubled:
            _logger.warning(
                "%s cannot be delivered (%s); they wait for a while and are tried again", self._name, answer
            )
        self.troubled, self.trouble = True, str(answer)
        self.failures += 1

    def misconfigured(self, answer: CollectorAnswer | str, *, at: float) -> None:
        """An attempt failed in a way that somebody must put right."""
        if self._may_speak("misconfigured", at):
            _logger.error(
                "%s cannot be delivered (%s); address, credentials or format must be wrong", self._name, answer
            )
        self.troubled, self.trouble = True, str(answer)

    def lost(self, reason: str, *, count: int, at: float) -> None:
        """Something was given up, and counted."""
        if self._may_speak("lost", at):
            _logger.warning("%d of %s given up (%s); the counts tell what follows", count, self._name, reason)

    def _may_speak(self, subject: str, at: float) -> bool:
        if at < self._silent_until.get(subject, at):
            return False
        self._silent_until[subject] = at + REMIND_SECONDS
        return True
