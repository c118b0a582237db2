"""A Litestar for `litestar run`, which takes nothing but a Litestar: watched one layer further in."""

from litestar import Litestar, get, post

import dashlight


@post("/predict", status_code=200, sync_to_thread=False)
def predict(data: dict[str, float]) -> dict[str, float]:
    """A score from two features."""
    return {"score": data["x"] + data["y"]}


@get("/healthz", sync_to_thread=False)
def health() -> str:
    """Whether it is up."""
    return "ok"


app = Litestar([predict, health])
app.asgi_handler = dashlight.watch(app.asgi_handler)
