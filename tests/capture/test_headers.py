from __future__ import annotations

from dashlight.capture.headers import kept, kept_in_lower_case


def test_of_a_request_only_the_fixed_list_is_kept() -> None:
    headers = [
        (b"host", b"a"), (b"content-type", b"application/json"), (b"authorization", b"Bearer secret"),
        (b"x-amzn-sagemaker-target-model", b"m"), (b"x-amzn-sagemaker-custom-attributes", b"secret"), (b"cookie", b"secret"),
        (b"x-amzn-trace-id-of-somebody", b"1"), (b"traceparent", b"00-1-2-01"), (b"", b""),
    ]  # fmt: skip

    found = kept(headers)

    assert found == [
        (b"host", b"a"), (b"content-type", b"application/json"), (b"x-amzn-sagemaker-target-model", b"m"), (b"traceparent", b"00-1-2-01"),
    ]  # fmt: skip


def test_of_a_response_names_are_kept_in_lower_case() -> None:
    headers = [(b"Content-Type", b"text/plain"), (b"content-length", b"4"), (b"Set-Cookie", b"s"), (b"SERVER", b"x")]

    found = kept_in_lower_case(headers)

    assert found == [(b"content-type", b"text/plain"), (b"content-length", b"4"), (b"server", b"x")]
