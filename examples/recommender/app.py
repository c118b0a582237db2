"""News for a reader: ten articles, and a click tells whether one was wanted."""

from fastapi import FastAPI
from pydantic import BaseModel

import dashlight
from dashlight import DashlightMiddleware

TOPICS = ("sport", "politics", "science", "music", "travel")
SHOWN = 10

# What the model learned: how much readers of each age care for each topic.
CARES = {
    "young": {"music": 5, "sport": 4, "travel": 3, "science": 2, "politics": 1},
    "middle": {"politics": 5, "sport": 4, "science": 3, "travel": 2, "music": 1},
    "old": {"travel": 5, "politics": 4, "science": 3, "music": 2, "sport": 1},
}


class Reader(BaseModel):
    """Who opens the page."""

    age: str
    hour: float


class Click(BaseModel):
    """What somebody clicked, nothing where the page was left; it knows the id from the header of its articles."""

    prediction_id: str
    item: str = ""


app = FastAPI(title="News")
app.add_middleware(DashlightMiddleware)


@app.post("/recommend")
async def recommend(reader: Reader) -> dict[str, list[str]]:
    """The articles for *reader*, the best first."""
    cares = CARES[reader.age]
    ranked = sorted(TOPICS, key=lambda topic: -cares[topic])
    return {"items": [f"{topic}-{number}" for topic in ranked for number in range(SHOWN // len(TOPICS))]}


@app.post("/click")
async def click(told: Click) -> None:
    """The browser tells the app, and the app tells Dashlight: no browser holds a token."""
    dashlight.label(told.prediction_id, told.item or False)
