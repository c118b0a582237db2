"""A FastAPI app that knows nothing of Dashlight."""

from fastapi import FastAPI

app = FastAPI()


@app.post("/predict")
async def predict(row: dict[str, float]) -> dict[str, float]:
    """A score from two features."""
    return {"score": row["x"] + row["y"]}


@app.get("/healthz")
async def health() -> str:
    """Whether it is up."""
    return "ok"
