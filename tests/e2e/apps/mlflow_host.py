"""MLflow's own scoring server around a small model, watched by one line; `bare` is the same without it."""

from typing import Any

import pandas as pd
from mlflow.models import Model
from mlflow.pyfunc import PyFuncModel, scoring_server

from dashlight import DashlightMiddleware


class Price:
    """A model of two columns."""

    def predict(self, rows: pd.DataFrame, params: dict[str, Any] | None = None) -> Any:
        """One price for each row."""
        return rows["rooms"] * 100.0 + rows["area"]


def served() -> Any:
    """MLflow's server of the model."""
    meta = Model(run_id="r1", flavors={"python_function": {"loader_module": "price"}})
    return scoring_server.init(PyFuncModel(model_meta=meta, model_impl=Price()))


bare, app = served(), served()
app.add_middleware(DashlightMiddleware)
