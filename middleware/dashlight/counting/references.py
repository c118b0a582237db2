"""What the rows of a process can be compared with."""

from __future__ import annotations

from dataclasses import dataclass

from dashlight.decode.signals import SIGNALS
from dashlight.privacy.hashing import HashKey
from dashlight.store.learned import LearnedReferences
from dashlight.store.reference_file import ReferenceFile
from dashlight.window.columns import Reference


@dataclass(frozen=True, slots=True, eq=False)
class References:
    """The reference that the operator gave, and those that were learned from traffic."""

    learned: LearnedReferences
    fixed: Reference | None = None
    """The operator's, where its file is not followed."""
    file: ReferenceFile | None = None
    """The file that is followed."""

    def of(self, route: str) -> References:
        """What rows of the endpoint *route* can be compared with: signals are nothing that a reference file is about."""
        return References(self.learned) if route == SIGNALS else self

    def found(self, endpoint: str, model: str, version: str) -> dict[str, Reference]:
        """All that the rows of a model can be compared with now, by their versions."""
        if self.file is not None:
            self.file.replaced()
        given = self.given
        beside = self.learned.load(endpoint, model, version, given.version) if given is not None else None
        found = (given, self.learned.load(endpoint, model, version), beside)
        return {each.version: each for each in found if each is not None}

    @property
    def hash_key(self) -> HashKey | None:
        """Of the hashes that stand for values, and of rows on their way to whoever learns."""
        return self.learned.hash_key

    @property
    def given(self) -> Reference | None:
        """The operator's reference; of a file that is followed as it was read last."""
        return self.fixed if self.file is None else self.file.reference
