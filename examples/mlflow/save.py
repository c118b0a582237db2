"""Saves the model in the directory that is named."""

import sys
import tempfile
from pathlib import Path

import mlflow.pyfunc
import numpy as np

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        weights = Path(scratch) / "weights.txt"
        np.savetxt(weights, [100.0, 2.5])
        mlflow.pyfunc.save_model(
            sys.argv[1],
            loader_module="price",
            data_path=str(weights),
            code_paths=[str(Path(__file__).with_name("price.py"))],
            pip_requirements=["numpy", "pandas"],
        )
