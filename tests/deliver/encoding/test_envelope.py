from __future__ import annotations

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)

from dashlight.deliver.encoding.envelope import Envelope, framed, rejected_count


def test_resource_scope_and_items_are_read_back_by_the_official_classes() -> None:
    written = Envelope({"service.name": "fraud"}, "dashlight", "0.1").around([framed(b"")] * 200)

    [found] = ExportLogsServiceRequest.FromString(written).resource_logs

    assert [(pair.key, pair.value.string_value) for pair in found.resource.attributes] == [("service.name", "fraud")]
    assert (found.scope_logs[0].scope.name, found.scope_logs[0].scope.version) == ("dashlight", "0.1")
    assert len(found.scope_logs[0].log_records) == 200


def test_a_partial_success_tells_how_many_were_rejected() -> None:
    answer = ExportLogsServiceResponse(partial_success=ExportLogsPartialSuccess(rejected_log_records=7))

    assert rejected_count(answer.SerializeToString()) == 7


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{}",
        b"<html>502</html>",
        b"\x08\x05",
        b"\x0a\x02\x0a\x00",
        ExportLogsServiceResponse(
            partial_success=ExportLogsPartialSuccess(rejected_log_records=-1)
        ).SerializeToString(),
    ],
    ids=["nothing", "JSON", "HTML", "a number for a message", "text for a number", "fewer than none"],
)
def test_any_other_answer_rejects_nothing(answer: bytes) -> None:
    assert rejected_count(answer) == 0
