import json

import pytest

from dashlight.decode.rows.redact import Redaction, redact, without_credentials
from dashlight.privacy.hashing import HashKey
from dashlight.privacy.names import REDACTED, is_credential, is_personal
from dashlight.records import Cell


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "Password",
        "user_password",
        "passwordHash",
        "db.password",
        "api_key",
        "apiKey",
        "X-API-Key",
        "apikey",
        "access_token",
        "token",
        "tokens[3]_token",
        "Authorization",
        "client_secret",
        "secretKey",
        "session_cookie",
        "passwords",
        "api_keys[0]",
        "ssn",
        "SSN",
        "customer.ssn",
        "card_number",
        "cvv",
        "iban",
        "private_key",
        "x" * 500,
    ],
)
def test_credentials_are_known_by_name(name: str) -> None:
    assert is_credential(name)


@pytest.mark.parametrize(
    "name",
    ["age", "token_count", "tokens", "max_tokens", "passenger_count", "card_type", "key", "api_version", "author", ""],
)
def test_names_that_resemble_credentials_are_columns(name: str) -> None:
    assert not is_credential(name)


@pytest.mark.parametrize(
    "name",
    [
        "email",
        "user_email",
        "emails[0]email",
        "phone2",
        "emails[0]",
        "billing_addresses",
        "contactPhone",
        "card",
        "credit_card",
        "first_name",
        "ip",
        "e-mail",
        "x" * 500,
    ],
)
def test_personal_particulars_are_known_by_the_end_of_their_name(name: str) -> None:
    assert is_personal(name)


@pytest.mark.parametrize(
    "name",
    ["email_domain", "card4", "card_type", "address.zip", "phone_is_mobile_ratio", "name", "ship", "discard", ""],
)
def test_facts_about_particulars_are_not_personal(name: str) -> None:
    assert not is_personal(name)


def test_an_event_carries_neither_credentials_nor_particulars_at_any_depth() -> None:
    values: dict[str, Cell] = {
        "age": 39,
        "email": "a@example.org",
        "password": "hunter2",
        "phone": None,
        "items": [{"sku": "A", "card_number": "4111"}, {"gift": {"to_email": "b@example.org", "qty": 2}}],
    }

    assert redact(values) == {
        "age": 39,
        "email": REDACTED,
        "password": REDACTED,
        "phone": None,
        "items": [{"sku": "A", "card_number": REDACTED}, {"gift": {"to_email": REDACTED, "qty": 2}}],
    }


def test_further_names_are_redacted_by_glob() -> None:
    assert redact({"diagnosis": "x", "diag": "y", "age": 3}, also=["diag*"]) == {
        "diagnosis": REDACTED,
        "diag": REDACTED,
        "age": 3,
    }


def deep(depth: int) -> object:
    value: object = {"password": "hunter2"}
    for _ in range(depth):
        value = [value]
    return value


def test_what_lies_deeper_than_anybody_looks_is_redacted_whole() -> None:
    assert "hunter2" not in str(redact({"x": deep(100)}))
    assert "hunter2" not in str(without_credentials(deep(100)))


def test_a_cell_loses_its_credentials_and_keeps_the_rest() -> None:
    cell = [{"user": "a", "token": "abc", "tags": ["b"]}, 1]

    assert without_credentials(cell) == [{"user": "a", "token": REDACTED, "tags": ["b"]}, 1]
    assert without_credentials("text") == "text"


def test_what_holds_no_credential_is_not_copied() -> None:
    cell: Cell = json.loads('[{"user": "a", "tags": ["b", {"c": []}]}, {}]') * 3000

    assert without_credentials(cell) is cell


def test_of_thousands_of_objects_none_is_told_where_one_holds_a_credential() -> None:
    cell: Cell = json.loads('[{"user": {}}]') * 3000 + [{"token": "abc"}]

    assert without_credentials(cell) == REDACTED


def test_what_looks_like_a_particular_is_replaced_wherever_it_stands() -> None:
    row: dict[str, Cell] = {
        "note": "call +48 601 733 912 or write to maria@example.com in Rome",
        "nested": {"of": ["DE89370400440532013000", 31]},
        "payment": 4111111111111111,
        "amount": 4111.5,
        "maria@example.com": 1,
    }

    assert redact(row) == {
        "note": f"call {REDACTED} or write to {REDACTED} in Rome",
        "nested": {"of": [REDACTED, 31]},
        "payment": REDACTED,
        "amount": 4111.5,
        REDACTED: 1,
    }


def test_under_a_key_what_is_redacted_can_be_followed_but_no_credential() -> None:
    key = HashKey.of_setting("a secret of the operator")

    found = redact(
        {"email": "maria@example.com", "note": "maria@example.com", "password": "maria@example.com"}, key=key
    )

    hashed = key.hash("maria@example.com")
    assert found == {"email": hashed, "note": hashed, "password": REDACTED}


@pytest.mark.parametrize(
    "cell",
    [
        "maria@example.com", 4111111111111111, 4111111111111111.0, -(10**11), ["4111111111111111"], {"email": "x"},
        {"note": ["a@b.example"]}, {"maria@example.com": 1}, 10**40,
    ],
)  # fmt: skip
def test_a_row_that_mostly_may_leave_hides_what_may_not(cell: Cell) -> None:
    redaction = Redaction((), None)
    usual: dict[str, Cell] = {"size": 1.5, "color": "red", "count": 3, "is_new": True, "none": None}

    for _ in range(2):
        assert redaction.row(dict(usual)) == usual
        told = redaction.row({**usual, "cell": cell})
        assert REDACTED in json.dumps(told["cell"])
        assert {name: told[name] for name in usual} == usual


def test_a_redaction_forgets_names_that_clients_invent() -> None:
    redaction = Redaction((), None)
    for at in range(200):
        redaction.row({f"name {at}": 1})
    redaction.row({"n" * 20_000: 1})

    assert len(redaction._plain) <= 64
    assert all(len("".join(names)) < 100 for names in redaction._plain)


def test_numbers_that_no_float_holds_are_no_trouble() -> None:
    found = redact({"n": 10**5000, "x": float("inf"), "b": True}, key=HashKey(b"k" * 32))

    assert found == {"n": REDACTED, "x": float("inf"), "b": True}
