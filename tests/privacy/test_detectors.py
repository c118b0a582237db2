import re

import pytest

from dashlight.privacy.detectors import _HARMLESS, _MOST_HARMLESS, cleaned, found_in, hold_nothing, is_long_number


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("maria.kowalska@example.com", "email"),
        ("write to maria+x@sub.example.co.uk today", "email"),
        ("maria%40example.com", "email"),
        ("4111 1111 1111 1111", "card"),
        ("4111-1111-1111-1111", "card"),
        ("card 378282246310005.", "card"),
        ("DE89 3704 0044 0532 0130 00", "iban"),
        ("de89370400440532013000", "iban"),
        ("pay to GB29 NWBK 6016 1331 9268 19 now", "iban"),
        ("+49 (30) 1234 5678", "phone"),
        ("0048 601 234 567", "phone"),
        ("030 / 1234567", "phone"),
        ("(555) 123-4567", "phone"),
        ("AKIAIOSFODNN7EXAMPLE", "key"),
        ("sk-proj-abcdefGHIJKL12345678", "key"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "key"),
        ("xoxb-1234567890-abcdefghij", "key"),
        ("-----BEGIN RSA PRIVATE KEY-----", "key"),
        ("Authorization: Bearer abcdef0123456789", "key"),
        ("postgres://user:s3cret@db/x", "key"),
        ("5f4dcc3b5aa765d61d8327deb882cf99", "key"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.sig", "token"),
        ("912345678901", "digits"),
        ("id 987654321", "digits"),
    ],
)
def test_particulars_are_found(text: str, kind: str) -> None:
    assert found_in(text) == kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Rome",
        "age",
        "meta-llama/Meta-Llama-3.1-8B-Instruct",
        "2024-01-31",
        "12.5 %",
        "0.123456789012",
        "InternalServerErrorException",
        "request_count_of_the_last_30_days",
        "customer_segment_2024",
        "12345678",
        "1,234,567.89",
        "v1.2.3-rc1",
        "POST /predict",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
        "python-httpx/0.28.1",
    ],
)
def test_plain_words_and_numbers_hold_nothing(text: str) -> None:
    assert found_in(text) is None


def test_a_card_has_a_right_check_digit_and_an_iban_right_check_digits() -> None:
    assert found_in("4111 1111 1111 1112") == "digits"
    assert found_in("DE88 3704 0044 0532 0130 00") != "iban"


def test_cleaning_replaces_what_is_found_and_leaves_the_rest() -> None:
    found = cleaned("ask maria@example.com or +49 30 12345678 in Rome", lambda _: "[redacted]")

    assert found == "ask [redacted] or [redacted] in Rome"


def test_cleaning_leaves_nothing_to_be_found() -> None:
    text = "4111111111111111 DE89370400440532013000 AKIAIOSFODNN7EXAMPLE a@b.example eyJhbGciOi.eyJzdWIiOi.x"

    assert found_in(cleaned(text, lambda _: "[redacted]")) is None
    assert re.fullmatch(r"(\[redacted\] ?){5}", cleaned(text, lambda _: "[redacted]"))


@pytest.mark.parametrize("texts", [[], ["red", "m07", ""], ["a word " * 20], ["red", "red"]])
def test_texts_that_hold_nothing_are_told_at_a_glance(texts: list[str]) -> None:
    assert hold_nothing(texts)
    assert hold_nothing(texts)


@pytest.mark.parametrize(
    "text", ["maria@example.com", "4111 1111 1111 1111", "+49 (30) 1234 5678", "sk-proj-abcdefGHIJKL12345678"]
)
def test_one_text_with_a_particular_is_enough_however_often_it_comes(text: str) -> None:
    for _ in range(3):
        assert not hold_nothing(["red", text, "blue"])
        assert not hold_nothing([text])


def test_texts_that_clients_invent_do_not_fill_the_memory() -> None:
    for at in range(3 * _MOST_HARMLESS):
        hold_nothing([f"c{at % 999}-{chr(97 + at // 999)}", "x " * 100])

    assert 0 < len(_HARMLESS) <= _MOST_HARMLESS + 2
    assert max(map(len, _HARMLESS)) <= 32


def test_whole_numbers_of_twelve_digits_are_long() -> None:
    assert is_long_number(4111111111111111)
    assert not is_long_number(99_999_999_999)
    assert not is_long_number(123456789012.5)
    assert not is_long_number(float("inf"))
