"""The nouns that travel from stage to stage: Exchange -> Prediction -> Score -> Alert -> Notice.

Imports nothing of ours. Whoever uses them imports `dashlight.records`, not its files.
"""

from dashlight.records.exchanges import Exchange, HandedOver, Headers, Outcome, OwnSpan
from dashlight.records.predictions import Cell, GenerationFacts, Kind, Prediction, Role, Table
from dashlight.records.verdicts import (
    Alert,
    AlertSource,
    AlertState,
    BinShare,
    Cause,
    Notice,
    Score,
    Slice,
    SliceCondition,
    SliceState,
    Transition,
    WatchState,
)

__all__ = (
    "Alert",
    "AlertSource",
    "AlertState",
    "BinShare",
    "Cause",
    "Cell",
    "Exchange",
    "GenerationFacts",
    "HandedOver",
    "Headers",
    "Kind",
    "Notice",
    "Outcome",
    "OwnSpan",
    "Prediction",
    "Role",
    "Score",
    "Slice",
    "SliceCondition",
    "SliceState",
    "Table",
    "Transition",
    "WatchState",
)
