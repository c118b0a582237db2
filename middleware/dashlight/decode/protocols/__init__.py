"""Inference protocols, one file for each family. Pure.

Imports: `decode.llm` and below.
To add: a protocol is one file with a PROTOCOL that says how specific its claim is, listed here in any order.
"""

from typing import Final

from dashlight.decode.protocols import (
    anthropic,
    azureml,
    bentoml,
    generate_stream,
    huggingface,
    kserve_v1,
    kserve_v2,
    mlflow,
    ollama,
    openai_chat,
    openai_completions,
    openai_embeddings,
    openai_responses,
    plain,
    sagemaker,
    seldon_v1,
    tf_serving,
    triton_generate,
    vertex,
)
from dashlight.decode.rows.reading import Protocol

PROTOCOLS: Final[tuple[Protocol, ...]] = (
    kserve_v2.PROTOCOL,
    triton_generate.PROTOCOL,
    sagemaker.PROTOCOL,
    mlflow.PROTOCOL,
    azureml.PROTOCOL,
    seldon_v1.PROTOCOL,
    bentoml.PROTOCOL,
    vertex.PROTOCOL,
    tf_serving.PROTOCOL,
    kserve_v1.PROTOCOL,
    huggingface.PROTOCOL,
    openai_chat.PROTOCOL,
    openai_completions.PROTOCOL,
    openai_embeddings.PROTOCOL,
    openai_responses.PROTOCOL,
    anthropic.PROTOCOL,
    ollama.PROTOCOL,
    generate_stream.TRITON,
    generate_stream.TGI,
)
"""In any order: each says itself how specific it is."""
FALLBACK: Final[Protocol] = plain.PROTOCOL
"""Reads what no protocol claims."""
