"""Every pattern that meets a client's bytes, fed with the worst that its author can think of."""

import importlib
import json
import pkgutil
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import dashlight.capture
import dashlight.decode
import dashlight.privacy
import dashlight.serving
import dashlight.window
from dashlight.decode.cells.shapes import TIMES
from dashlight.decode.protocols import FALLBACK, PROTOCOLS

CAP = 1 << 18
MAX_GROWTH = 40.0
"""For ten times the input; a pattern that looks at every pair of characters takes a hundred times as long."""
FLOOR_SECONDS = 0.05
"""What takes less says nothing about growth."""
PATIENCE_SECONDS = 240.0
ROOMS: tuple[ModuleType, ...] = (
    dashlight.capture,
    dashlight.decode,
    dashlight.privacy,
    dashlight.serving,
    dashlight.window,
)

AnyPattern = re.Pattern[str] | re.Pattern[bytes]
Pumped = tuple[str, str, str]
"""A beginning, what is repeated up to the cap, and an end that spoils the match."""
_DIGITS: Pumped = ("", "7", "x")
_NAME: tuple[Pumped, ...] = (("", "_", "\n"), ("", "_a", "!"), ("", "A", "!"), ("", "aA", "!"))
_PATH: tuple[Pumped, ...] = (("", "/", "!"), ("", "/a", "!"), ("/", "a", "!"), ("", "/a", "\n!"))

_WRITTEN: tuple[Pumped, ...] = (
    *(_DIGITS, ("1", ",777", "x"), ("1", ".777", "x"), ("1", " 777", "x"), ("1", "'777", "x"), ("1", ",77", "x")),
    *(
        ("1.", "7", "x"),
        ("1,", "7", "x"),
        (".", "7", "x"),
        ("", "-", "1"),
        ("", "(", "1"),
        ("(", "7", ")x"),
        ("", "$", "1"),
    ),
    *(("USD ", "7", " %x"), ("", " ", "1"), ("1e", "7", "x"), ("0", "0", "x"), ("", "USD", "1")),
)
_DATED: tuple[Pumped, ...] = (
    *(_DIGITS, ("2026-01-02T03:04:05.", "0", "!"), ("2026-01-02T03:04:05+", "0", "!"), ("2026-01-02", " ", "!")),
    *(("1/2/", "0", "!"), ("", "1/", "!"), ("2026-01-02T", "0", "!")),
)

WORST: dict[str, tuple[Pumped, ...]] = {
    "decode.cells.numbers:AMOUNT": (*_WRITTEN, ("$", "1", "x"), ("1", ",123", "x"), ("1,234.", "5", "x")),
    "decode.cells.numbers:PLAIN": _WRITTEN,
    "decode.cells.numbers:_CODE_IN_LINES": (("", "\n", ""), ("\n", "0", ""), ("\n", "7", ""), ("", "\n0.", "")),
    "decode.cells.numbers:_FRACTION": _WRITTEN,
    **{f"decode.cells.numbers:{name}[{mark}]": _WRITTEN for name in ("_PLAIN", "_READ", "_REMOVED") for mark in ".,"},
    "decode.cells.shapes:_CODE": _WRITTEN,
    "decode.cells.shapes:_COMMAED": _WRITTEN,
    "decode.cells.shapes:_CURRENCY": (*_WRITTEN, ("", "US", ""), ("", "z", ""), ("", "A", "")),
    "decode.cells.shapes:_DECIMALS": _WRITTEN,
    "decode.cells.shapes:_NUMBER_LIKE": (*_WRITTEN, ("", "USDx", "x")),
    "decode.cells.shapes:_OPEN": _WRITTEN,
    "decode.cells.shapes:_POINTED": _WRITTEN,
    "decode.cells.shapes:_TIME_LIKE": _DATED,
    **{f"decode.cells.shapes:_TIMES[{shape}]": _DATED for shape in TIMES},
    "decode.cells.times:_YEAR_FIRST": _DATED,
    "decode.cells.times:_YEAR_LAST": _DATED,
    "decode.protocols.detect:_EXPLANATION": _PATH,
    "decode.refused_field:_NAME": (*_NAME, ("a", ".-", "!")),
    "decode.rows.flattening:_FILE_NAME": (("file", "_", "!"),),
    "decode.rows.answer_facts:_ALWAYS": (("model", "_", "!"), ("", "model_", "!"), ("elapsed", "_", "!")),
    "decode.rows.answer_facts:_IN_PARENT": (*_NAME, ("", "ms_", "!"), ("", "a_", "!"), ("", "a", "!")),
    "decode.rows.answer_facts:_IN_SIZED": (("width", "_", "!"),),
    "decode.rows.answer_facts:_SIZE": (("input_", "_", "!"), ("", "image_", "!")),
    "decode.rows.answer_facts:_SIZED": (("", "image_", "!"), ("", "input_", "!")),
    "decode.rows.failures:_FAILED_CODE": (*_NAME, ("e", "7", "!"), ("", "error", "!"), ("", "timed_", "!")),
    "decode.rows.answer_facts:_PARENT": (("meta", "_", "!"), ("", "_meta", "!")),
    "decode.rows.answer_facts:_TIMINGS": (("", "timing", "!"),),
    "decode.rows.answer_facts:_NUMBERED": (("trace_", "_", "!"),),
    "decode.rows.echoes:_MOMENT": (("2026-01-02T", "0", "!"), _DIGITS),
    "decode.rows.answer_facts:_TIME": (("created", "_", "!"), ("", "created_", "!")),
    "decode.rows.lists.boxes:_BOX_NAME": _NAME,
    "decode.rows.lists.boxes:_DETECTIONS": _NAME,
    "decode.rows.lists.boxes:_SIZED_BOX_NAME": _NAME,
    "decode.rows.lists.parallel:_BOUND": (*_NAME, ("p", "1", "!"), (".", "1", "!")),
    "decode.rows.lists.parallel:_COUNT": (("num", "_", "!"), ("num_of", "_", "!")),
    "decode.rows.lists.parallel:_IDS": _NAME,
    "decode.rows.lists.parallel:_LABELS": _NAME,
    "decode.rows.lists.parallel:_RANKS": _NAME,
    "decode.rows.lists.parallel:_SCORES": _NAME,
    "decode.rows.lists.parallel:_SHOWN": _NAME,
    "decode.rows.number_texts:_WORDED": (*_NAME, ("", "label", "!")),
    "decode.rows.refusals:_PYDANTIC_TEXT": (
        *(("", "a", "!"), ("", "a\n", "!"), ("", "a\n  ", "!"), ("", "\n", "!"), ("a\n  ", "[type=", "!")),
        *(("a\n  ", "[type=" + "a" * 64, "!"), ("a\n  ", "a", "!"), ("", "a\n  [type=a\n", "!")),
    ),
    "decode.rows.refusals:_MISSING": (("", "missin", "!"), ("", "require", "!"), ("", "number is ", "!")),
    "decode.rows.refusals:_NAMED": (("", "input '", "!"), ("", "input 'a", "!"), ("", "column ", "!"), ("", "'a' is ", "!")),
    "decode.rows.refusals:_LACKING": (("", "missing inputs [", "!"), ("missing inputs [", "a", "\n"), ("yet now missing:", "\n- a", "")),
    "decode.rows.refusals:_QUOTED": (("", "'a", "!"), ("", "\n- ", "!"), ("'", "a", "!")),
    "decode.rows.refusals:_SENTENCE": (("", "a", "!"), ("", "property ", "!"), ("each value in ", "a", " !")),
    "decode.rows.refusals:_REFUSING": (("", "must ", "!"), ("", "must not ", "!"), ("", "invali", "!")),
    "decode.rows.lists.series:_HISTORY": (*_NAME, ("historical", "_", "!")),
    "decode.rows.matching.returned_inputs:_SAID": (*_NAME, ("y[", "1", "!"), ("", "label", "!")),
    "decode.rows.matching.returned_inputs:_WRAPPED": (("", "input", "!"),),
    "decode.rows.matching.row_keys:_KEY": _NAME,
    "window.inspection.doubts:_LABEL": (*_NAME, ("", "label", "!"), ("", "is_", "!"), ("y_", "y_", "!")),
    "window.inspection.facts_meter:_MOMENT": (_DIGITS, ("2024-01-02 ", " ", "!"), ("2024-01-02 10:00:00.", "7", "x"), ("", "1-", "x")),
    "window.inspection.facts_meter:_TOKEN": (("", "a", " "), ("", "a", "@")),
    "window.inspection.left_out:_ID": (*_NAME, ("", "id_", "!"), ("", "aId", "!"), ("", "key", "!")),
    "window.inspection.left_out:_INDEX": (("Unnamed: ", "7", "x"), ("__index_level_", "7", "x")),
    "window.facets.list_names:_BOUND": (*_NAME, ("p", "1", "!")),
    "window.facets.list_names:_LIST": (("search", "_", "!"),),
    "capture.trace_parent:_TRACEPARENT": (("00-" + "0" * 32 + "-" + "0" * 16 + "-00-", "-", "\n"),),
    "decode.formats.attachments:_BASE64": (("", "A", "!"), ("", "=", "!")),
    "decode.formats.attachments:_BEGINNING_IN_JSON": (("", '"data:a', "!"), ('"data:', "a", "!"), ("", '"', "")),
    "decode.formats.attachments:_SUBTYPE": (("image/", "a", "!"), ("image/", "x-", "!")),
    "decode.formats.attachments:_URL": (("data:a/a", ";a", "!"), ("data:a/", "a", "!"), ("data:a/a;", "a", "!")),
    "decode.formats.content:_CHARSET": (("", ";", ""), (";", " ", "!"), ("", "; charset", "!")),
    "decode.formats.content:_HEADER": (("", ";", ""), (";", " ", "!"), ("", "; header=", "!")),
    "decode.formats.kinds:_JSON": (("application/", "x-", "json"),),
    "decode.formats.msgpack_keys:_LARGE_OBJECT": (("", "\xde\0", ""), ("", "\0", "")),
    "decode.formats.multipart:_BOUNDARY": ((";", " ", "!"), ("", '; boundary="', "\n"), ("; boundary=", "a", '"')),
    "decode.formats.multipart:_DISPOSITION": (
        ("content-disposition:", " ", "\n"),
        ("", "content-disposition:", ""),
        ("", "\ncontent-disposition", ""),
    ),
    "decode.formats.multipart:_FILE_NAME": (("", " filename", ""), ("", ";", "filename")),
    "decode.formats.multipart:_NAME": (
        ('name="', "a", ""),
        ('name="', "\\\\", "\\"),
        ("", ' name="\\', ""),
        ("", ";name=\\", '"'),
    ),
    "decode.formats.multipart:_TYPE": (("content-type:", " ", "\n"), ("", "content-type:", ";"), ("", "\n", "")),
    "decode.formats.npy_body:_DESCR": (("'descr':", " ", "!"), ("", "'descr':", "!"), ("'descr':'<i", "1", "!")),
    "decode.formats.npy_body:_FIELD": (("'", "a", "\\"), ("", "'a',", ""), ("'a',", " ", "!")),
    "decode.formats.npy_body:_FIELDS": (
        ("'descr': [", "('a', '<f8'), ", "!"),
        ("'descr': [", "(", "!"),
        ("'descr': [(", " ", "!"),
        ("", "'descr': [('a', '<f8')", "!"),
    ),
    "decode.formats.npy_body:_FORTRAN": (("'fortran_order':", " ", "!"), ("", "'fortran_order': ", "!")),
    "decode.formats.npy_body:_SHAPE": (
        ("'shape': (", "1", "x"),
        ("'shape': (", "1,", "x"),
        ("'shape':", " ", "x"),
        ("", "'shape': (1", "x"),
    ),
    "decode.formats.npy_body:_SIZE": (("", "1", "x"),),
    "decode.formats.slow_numbers:_SLOW": (("", "1e", ""), ("", "1e+30", "!"), _DIGITS),
    "decode.formats.sse:_FIELD": (("", "data", ""),),
    "decode.formats.sse:_LINE_END": (("", "\r", ""), ("", "\n", ""), ("", "a", "")),
    "decode.llm.text:_LETTER": (("", "7", ""),),
    "decode.llm.text:_REFUSALS": (
        ("", "i can't ", ""),
        ("", "i can't really ", "!"),
        ("sorry", " ", ""),
        ("", "ich kann dir ", "!"),
        ("\u7533\u3057\u8a33", "\u3067", "!"),
    ),
    "decode.protocols.anthropic:_PATH": _PATH,
    "decode.protocols.azureml:_PATH": _PATH,
    "decode.protocols.detect:_OTHER": (
        *_PATH,
        ("", "/v2/repository/", "\n!"),
        ("", "/v2/models/a/versions/b", "!"),
        ("", "/:explain", "!"),
        ("", "/health/", "!"),
        ("", ".", "js!"),
    ),
    "decode.protocols.generate_stream:_TGI_PATH": _PATH,
    "decode.protocols.generate_stream:_TRITON_PATH": (*_PATH, ("", "/v2/models/a/versions/b", "!")),
    "decode.protocols.huggingface:_MODEL_PATH": (*_PATH, ("", "/models/a", "!"), ("", "/models/a/pipeline/b", "!")),
    "decode.protocols.huggingface:_SERVER_PATH": (*_PATH, ("", "/pipeline/a", "!")),
    "decode.protocols.kserve_v1:_PATH": (*_PATH, ("", "/v1/models/a/versions/b", "!"), ("", "/v1/models/a:", "!")),
    "decode.protocols.kserve_v2:_CLASSIFICATION": (_DIGITS, ("1:", "1", "x"), ("1.", "1", "x"), ("1:1:", ":", "")),
    "decode.protocols.kserve_v2:_PATH": (*_PATH, ("", "/v2/models/a/versions/b", "!")),
    "decode.protocols.mlflow:PATH": _PATH,
    "decode.protocols.ollama:_PATH": _PATH,
    "decode.protocols.openai_chat:_PATH": (*_PATH, ("", "/deployments/a/", "!")),
    "decode.protocols.openai_completions:_PATH": (*_PATH, ("", "/deployments/a/", "!"), ("", "/engines/a/", "!")),
    "decode.protocols.openai_embeddings:_PATH": (*_PATH, ("", "/deployments/a/", "!"), ("", "/engines/a/", "!")),
    "decode.protocols.openai_responses:_ANYWHERE": _PATH,
    "decode.protocols.openai_responses:_PATH": (*_PATH, ("", "/deployments/a/", "!")),
    "decode.protocols.sagemaker:_ANYTHING": (("", "a", "\n"),),
    "decode.protocols.sagemaker:_MANY_MODELS_PATH": (*_PATH, ("", "/models/a", "!")),
    "decode.protocols.seldon_v1:_PATH": (*_PATH, ("", "/seldon/a", "!"), ("", "/seldon/a/b/api", "!")),
    "decode.protocols.tf_serving:_EXAMPLES_PATH": (*_PATH, ("", "/v1/models/a/labels/b", "!")),
    "decode.protocols.tf_serving:_PREDICT_PATH": (*_PATH, ("", "/v1/models/a/labels/b", "!")),
    "decode.protocols.triton_generate:_PATH": (*_PATH, ("", "/v2/models/a/versions/b", "!")),
    "decode.protocols.vertex:_PATH": (*_PATH, ("", "/endpoints/a:", "!")),
    "decode.protocols.vertex:_PUBLISHED_PATH": (*_PATH, ("", "/publishers/a/models/b", "!"), ("", "/publishers/a", "@!")),
    "decode.rows.budget:_DEEP": (("", "[]", ""), ("", "[" * 32 + "]", ""), ("", "{", "")),
    "decode.rows.flattening:_CLASS_ID": (*_NAME, ("", "class_", "!"), ("", "_class", "!")),
    "decode.rows.flattening:_ID": (*_NAME, ("", "_id", "!"), ("", "aId", "!")),
    "privacy.names:_CREDENTIAL_ENDINGS": (("", "token", ""),),
    "privacy.names:_CREDENTIAL_PAIRS": (("", "api ", "keys!"),),
    "privacy.names:_CREDENTIAL_WORDS": (("", "passwords", ""),),
    "privacy.names:_PERSONAL_ENDINGS": (("", "phone", ""), ("phon", "es", "")),
    "privacy.names:_PERSONAL_PAIRS": (("", "credit ", "cards!"),),
    "privacy.names:_SUSPECT": (("", "pas", ""), ("", "passwor", "")),
    "privacy.names:_WORD": (*_NAME, ("", "Aa", "A"), ("", "A", "a")),
    "decode.rows.roles:_LABEL": (*_NAME, ("", "label[1", "!"), ("label[", "1", "!"), ("", "class", "!")),
    "decode.rows.roles:_PROBABILITY": (*_NAME, ("", "_p[1", "!"), ("p[", "1", "!"), ("", "_prob", "!")),
    "decode.rows.roles:_SCORE": (*_NAME, ("", "score[1", "!"), ("score[", "1", "!"), ("", "scores", "!")),
    "decode.rows.roles:_TEXT": (("", "text_", "!"), ("", "output_", "!")),
    "privacy.detectors:_DIGITS": (*_WRITTEN, ("", "7 ", "x"), ("", "7-7", ".5"), ("", "77777777.", "x")),
    "privacy.detectors:_EMAIL": (("", "a.", "!"), ("", "a@", "!"), ("a@", "a.", "!"), ("a@", "a", "!"), ("", "%40", "!")),
    "privacy.detectors:_IBAN": (("DE00", "a", "!"), ("", "DE00", "!"), ("", "de00 ", "!"), ("DE00", " 1", "!")),
    "privacy.detectors:_KEY": (
        *(("", "sk-", "!"), ("sk-", "a", "!"), ("", "ghp_", "!"), ("", "xoxb-", "!"), ("bearer", " ", "!")),
        *(("", "bearer ", "!"), ("", "-----BEGIN ", "!"), ("", "://a:", "!"), ("://", "a", "!"), ("", "AKIA", "!")),
    ),
    "privacy.detectors:_MAY_HOLD": (("", "a", "!"), ("", "7 ", "x"), ("", "A1a-", "!"), ("", "://", "!"), ("", "-----BEGI", "!")),
    "privacy.detectors:_PERSON": (("", "a", " "), ("", "a ", "!"), ("", "a-", "!"), ("a", " ", "A")),
    "privacy.detectors:_PHONE": (*_WRITTEN, ("+", "7", "x"), ("", "+7 ", "x"), ("", "(0", "x"), ("0", " 77", "x"), ("", "00-", "x")),
    "privacy.detectors:_RANDOM": (("", "aA0", "!"), ("", "a" * 19 + "-", "!")),
    "privacy.detectors:_TOKEN": (("", "eyJ", "!"), ("", ".eyJ", "!"), ("eyJ", "a", "!"), ("", "eyJaaaaaa.", "!")),
    "serving.access:_BEARER": (("bearer", " ", ""), ("", "bearer ", "")),
    "serving.access:_KEPT": (("", "a", " "),),
    "window.facets.forecast_facets:_MOMENT": (("2024-01-01T", "00:", "!"), _DIGITS),
    "window.facets.list_names:_EMBEDDING": (("", "embeddin", ""),),
    "window.facets.list_names:_FORECAST": (*_NAME, ("", "_series", "\n!"), ("", "time_", "!"), ("", "forecasts", "")),
    "window.facets.list_names:_RANKING": (*_NAME, ("", "_items", "\n!"), ("", "itemsx", "!"), ("", "top_", "!")),
    "window.facets.list_names:_TIMES": (*_NAME, ("", "_time", "!"), ("", "_", "\n!")),
    "decode.protocols:bentoml header": (("BentoML Service/", "a", "\n"),),
    "decode.protocols:anthropic path": (*_PATH, ("", "/models/a", "!"), ("", "/models/a:", "!")),
}  # fmt: skip
"""By module and name, below the package."""
EVERYWHERE: tuple[Pumped, ...] = (("", "a", "!"), ("", "7", "!"), ("", " ", "!"), ("", '"', "!"), ("", "[", "!"))


def patterns() -> dict[str, tuple[AnyPattern, list[str]]]:
    """All patterns of ROOMS, by module and name, and how each is asked; and those that stand in a protocol alone."""
    found: dict[str, tuple[AnyPattern, list[str]]] = {}
    sources = {module.__name__.removeprefix("dashlight."): source_of(module) for module in modules()}
    whole = "\n".join(sources.values())
    for module in modules():
        name = module.__name__.removeprefix("dashlight.")
        for key, value in vars(module).items():
            # Where it is made, and not where it is imported.
            if isinstance(value, re.Pattern) and re.search(rf"(?m)^{key}(?:: Final)? = re\.compile\(", sources[name]):
                methods = set(re.findall(rf"\b{key}\.(search|match|fullmatch|findall|finditer|split|sub)\b", whole))
                found[f"{name}:{key}"] = (value, sorted(methods or {"search"}))
            elif isinstance(value, dict) and re.search(rf"(?m)^{key}(?:: [^=]+)? = \{{", sources[name]):
                method = "sub" if re.search(rf"\b{key}\[\w+\]\.sub\(", whole) else "fullmatch"
                each = {part: pattern for part, pattern in value.items() if isinstance(pattern, re.Pattern)}
                found.update({f"{name}:{key}[{part}]": (pattern, [method]) for part, pattern in each.items()})
    named = {id(pattern) for pattern, _ in found.values()}
    for protocol in (*PROTOCOLS, FALLBACK):
        for pattern in (*protocol.paths, *protocol.shared_paths):
            if id(pattern) not in named:
                found[f"decode.protocols:{protocol.name} path"] = (pattern, ["search"])
        for _, pattern in protocol.headers:
            if id(pattern) not in named:
                found[f"decode.protocols:{protocol.name} header"] = (pattern, ["fullmatch"])
    return found


def source_of(module: ModuleType) -> str:
    return Path(str(module.__file__)).read_text(encoding="utf-8")


def modules() -> Iterator[ModuleType]:
    for room in ROOMS:
        yield room
        for info in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            yield importlib.import_module(info.name)


def slowest(pattern: AnyPattern, methods: list[str], pumped: Pumped, size: int) -> float:
    """CPU seconds of the slowest way in which *pattern* is asked."""
    start, piece, end = pumped
    text = start + piece * (size // len(piece)) + end
    asked = text if isinstance(pattern.pattern, str) else text.encode("latin-1", "replace")
    worst = 0.0
    for method in methods:
        ask = getattr(pattern, method)
        began = time.process_time()
        ask("", asked) if method == "sub" else ask(asked)
        worst = max(worst, time.process_time() - began)
    return worst


def main() -> None:
    """Asks every pattern, and tells what was too slow."""
    for name, (pattern, methods) in sorted(patterns().items()):
        for pumped in (*WORST.get(name, ()), *EVERYWHERE):
            tell({"begun": name, "of": pumped})
            small, large = (slowest(pattern, methods, pumped, size) for size in (CAP // 10, CAP))
            if large > FLOOR_SECONDS and large > MAX_GROWTH * max(small, FLOOR_SECONDS / MAX_GROWTH):
                tell({"slow": name, "of": pumped, "seconds": [small, large]})
    tell({"done": True})


def tell(line: dict[str, object]) -> None:
    sys.stdout.write(f"{json.dumps(line)}\n")
    sys.stdout.flush()


def test_every_pattern_that_meets_a_clients_bytes_is_listed_with_its_worst_input() -> None:
    assert set(patterns()) == set(WORST)


def test_no_pattern_takes_more_than_a_time_that_grows_with_its_input() -> None:
    # In a process of its own: a pattern that never ends cannot be stopped otherwise.
    command = [sys.executable, str(Path(__file__))]
    try:
        told = subprocess.run(command, capture_output=True, timeout=PATIENCE_SECONDS, check=True).stdout
    except subprocess.TimeoutExpired as expired:
        pytest.fail(f"never ended: {(expired.stdout or b'').splitlines()[-1]!r}")
    lines = [json.loads(line) for line in told.splitlines()]

    assert [line for line in lines if "slow" in line] == []
    assert lines[-1] == {"done": True}


if __name__ == "__main__":
    main()
