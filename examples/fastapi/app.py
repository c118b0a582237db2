"""A credit score behind FastAPI."""

import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

from dashlight import DashlightMiddleware

WEIGHTS = np.array([0.1, 0.002])


class Applicant(BaseModel):
    """Who asks for credit."""

    age: float
    income: float


app = FastAPI()
app.add_middleware(DashlightMiddleware)


@app.post("/predict")
def predict(applicant: Applicant) -> dict[str, float]:
    """The score of one applicant."""
    return {"score": scores([applicant])[0]}


@app.post("/predict/batch")
def predict_batch(applicants: list[Applicant]) -> list[dict[str, float]]:
    """The scores of many."""
    return [{"score": score} for score in scores(applicants)]


@app.get("/healthz")
def health() -> str:
    """Whether it is up; not watched."""
    return "ok"


def scores(applicants: list[Applicant]) -> list[float]:
    """One score for each of them."""
    rows = np.array([[each.age, each.income] for each in applicants])
    return [round(float(score), 6) for score in rows @ WEIGHTS]
