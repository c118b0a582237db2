"""A credit score behind Gradio: a page for people, and an interface for programs."""

import argparse

import gradio
import numpy as np
from starlette.middleware import Middleware

from dashlight import DashlightMiddleware

WEIGHTS = np.array([0.1, 0.002])


def score(age: float, income: float) -> float:
    """The score of one applicant."""
    return round(float(WEIGHTS @ [age, income]), 6)


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--port", type=int, default=8000)
    numbers = [gradio.Number(label="age"), gradio.Number(label="income")]
    demo = gradio.Interface(score, numbers, gradio.Number(label="score"), api_name="score")
    demo.launch(
        server_name="127.0.0.1",
        server_port=asked.parse_args().port,
        app_kwargs={"middleware": [Middleware(DashlightMiddleware)]},
    )
