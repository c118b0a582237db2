"""A check of card payments: whether one is fraud is known when the chargeback comes, weeks later."""

from math import exp

from fastapi import FastAPI
from pydantic import BaseModel

from dashlight import DashlightMiddleware


class Payment(BaseModel):
    """One payment; *transaction_id* is what the bank names when it comes back."""

    transaction_id: str
    amount: float
    age_of_account_days: float
    is_foreign: bool


class Verdict(BaseModel):
    """How likely it is fraud, and whether it is let through."""

    transaction_id: str
    fraud_probability: float
    is_fraud: bool


app = FastAPI(title="Payments")
app.add_middleware(DashlightMiddleware)


@app.post("/check")
async def check(payment: Payment) -> Verdict:
    """A logistic regression of three features."""
    young = payment.age_of_account_days < 30
    logit = -4.0 + 0.004 * payment.amount + 1.5 * young + 1.2 * payment.is_foreign
    probability = 1 / (1 + exp(-logit))
    return Verdict(transaction_id=payment.transaction_id, fraud_probability=probability, is_fraud=probability > 0.5)
