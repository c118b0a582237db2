"""Exchanges with a model, and what waits for a label of them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from dashlight.counting.scored.scorer import Scorer, Scoring
from dashlight.decode.batch import Decoder
from dashlight.decode.identities import identities
from dashlight.labels.rows import ScoredRows
from dashlight.privacy.hashing import HashKey
from dashlight.records import Exchange

KEY = HashKey(b"k" * 32)
JSON = [(b"content-type", b"application/json")]


def exchange(
    request: object,
    answer: object,
    *,
    number: int = 1,
    trace_id: int = 0,
    path: str = "/predict",
    answer_headers: Sequence[tuple[bytes, bytes]] = (),
) -> Exchange:
    asked, answered = json.dumps(request).encode(), json.dumps(answer).encode()
    return Exchange(
        number, path, "POST", path, b"", "http", None, "1.1", JSON, [*JSON, *answer_headers], 200, "", "ok",
        1_700_000_000.0 + number, 0.01, 0.02, len(asked), len(answered), (asked,), (answered,), trace_id, 0, 0, None,
    )  # fmt: skip


@dataclass
class Model:
    """A model behind a decoder and a scorer."""

    scorer: Scorer
    entity: str = ""

    def __post_init__(self) -> None:
        self.decoder = Decoder(model="m", version="1", entity=self.entity)

    def asked(self, exchanges: Sequence[Exchange]) -> ScoredRows | None:
        """What waits after one batch, of one prediction at most."""
        batch = self.decoder.decode(exchanges)
        rows = [
            self.scorer.score(prediction, exchanges, identities(batch, entity=self.entity))
            for prediction in batch.predictions
        ]
        return next((each for each in rows if each is not None), None)

    def answered(self, *answers: object, request: object = None) -> ScoredRows:
        """What waits after one batch with these answers."""
        asked = {"age": 1.5} if request is None else request
        rows = self.asked([exchange(asked, answer, number=at + 1) for at, answer in enumerate(answers)])
        assert rows is not None
        return rows


Scored = Callable[..., Model]


@pytest.fixture(scope="session")
def model() -> Scored:
    """Makes models, with what Scoring takes."""

    def make(*, entity: str = "", **known: object) -> Model:
        return Model(Scorer(Scoring(KEY, **known)), entity)  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def make_exchange() -> Callable[..., Exchange]:
    return exchange


@pytest.fixture(scope="session")
def key() -> HashKey:
    return KEY
