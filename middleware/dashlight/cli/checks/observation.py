"""One thing that `dashlight check` found."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Level: TypeAlias = Literal["ok", "missing", "unusual", "wrong"]
"""`missing`: it works without, and with it there would be more; `unusual`: perhaps not meant; `wrong`: it does not work."""


@dataclass(frozen=True, slots=True)
class Observation:
    """How something is, in a sentence without a secret."""

    level: Level
    subject: str
    sentence: str

    @property
    def is_trouble(self) -> bool:
        """Whether somebody should look after it."""
        return self.level in {"unusual", "wrong"}
