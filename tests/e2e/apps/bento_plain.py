"""Two services without a word of Dashlight in them."""

# BentoML is no package of the type checker's.
# mypy: disable-error-code="untyped-decorator"
from __future__ import annotations

import bentoml


@bentoml.service(workers=1)
class Inner:
    """Asked by the other."""

    @bentoml.api
    def double(self, x: float) -> float:
        return 2 * x


@bentoml.service(workers=2)
class Plain:
    """Asks the other."""

    inner = bentoml.depends(Inner)

    @bentoml.api
    def predict(self, a: float, b: str = "red") -> float:
        return float(self.inner.double(a))
