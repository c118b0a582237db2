"""NannyML itself on the sets that it bundles, in an environment of its own: the figures of `estimates_nannyml.json` anew."""

import os
import subprocess
import sys
from pathlib import Path

_SCRIPT = """
import json
import nannyml

names = {
    "car_loan": (nannyml.load_synthetic_car_loan_dataset, "repaid", "y_pred_proba", "y_pred", "timestamp", 5000),
    "employment_MA": (
        nannyml.load_us_census_ma_employment_data, "employed", "predicted_probability", "prediction", None, 5000
    ),
    "california": (
        nannyml.load_modified_california_housing_dataset, "clf_target", "y_pred_proba", "y_pred", "timestamp", 600
    ),
}
sets = {}
for name, (load, label, score, prediction, moment, chunk) in names.items():
    reference, analysis, truth = load()
    both = analysis.merge(truth, on="id") if "id" in analysis and "id" in truth else analysis.join(truth[[label]])
    given = dict(y_true=label, y_pred_proba=score, y_pred=prediction, problem_type="classification_binary",
                 metrics=["roc_auc", "accuracy", "f1", "precision", "recall"], chunk_size=chunk)
    if moment:
        given["timestamp_column_name"] = moment
    estimated = nannyml.CBPE(**given).fit(reference).estimate(both).filter(period="analysis").to_df()
    realised = nannyml.PerformanceCalculator(**given).fit(reference).calculate(both).filter(period="analysis").to_df()
    sets[name] = {
        metric: {"estimated": estimated[metric]["value"].tolist(), "realised": realised[metric]["value"].tolist()}
        for metric in given["metrics"]
    }
print(json.dumps({"sets": sets}))
"""


def run_nannyml(wheel: Path, folder: Path) -> str:
    """The figures as JSON; *folder* keeps the environment. NannyML's PYTHON is below 3.13: NANNYML_PYTHON names another."""
    environment = folder / "nannyml"
    python = environment / "bin" / "python"
    if not (environment / ".made").exists():
        subprocess.run([os.environ.get("NANNYML_PYTHON", sys.executable), "-m", "venv", environment], check=True)
        # It plots with statsmodels and does not say that it needs it.
        subprocess.run([python, "-m", "pip", "install", "--quiet", str(wheel), "statsmodels"], check=True)
        (environment / ".made").touch()
    told = subprocess.run(
        [python, "-c", _SCRIPT],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "NML_DISABLE_USAGE_LOGGING": "1"},
    )
    return told.stdout.splitlines()[-1]
