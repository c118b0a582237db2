"""The example does what its README says."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

EXAMPLE = Path(__file__).parents[3] / "examples" / "bentoml"


def test_the_example_is_served_and_seen_as_its_readme_says(
    bento_python: Path, bento_serve: Callable[..., Any], collector: Any, tmp_path: Path
) -> None:
    readme = (EXAMPLE / "README.md").read_text()
    (served,) = re.findall(r"^bentoml serve (\S+)", readme, re.MULTILINE)
    (asked,) = re.findall(r"^curl .*?'\n", readme, re.MULTILINE | re.DOTALL)
    words = shlex.split(asked.replace("\\\n", ""))
    command = [str(bento_python), "-m", "bentoml", "serve", served, "--working-dir", str(EXAMPLE)]

    with bento_serve(command, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url) as (url, _):
        path = words[2].removeprefix("http://127.0.0.1:3000")
        answer = httpx.post(f"{url}{path}", content=words[-1], headers=dict([words[4].split(": ")]), trust_env=False)

    assert answer.json() == [175000.0, 265000.0]
    (event,) = [each["attributes"] for each in collector.items("event") if each["name"] == "dashlight.prediction"]
    assert event["dashlight.inputs"] == {"area": [80.0, 120.0], "rooms": [3, 5], "district": ["north", "south"]}
    assert event["dashlight.outputs"] == {"prediction": [175000.0, 265000.0]}
    assert event["dashlight.model.name"] == "Prices"
    assert "POST /predict" in [span["name"] for span in collector.items("span")]
