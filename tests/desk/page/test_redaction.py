"""Secrets of the process and numbers of accounts do not reach a page."""

import pytest

from desk.page.redaction import Redaction, secret_values, shortened

SECRET = 'wJalrXUtnFEMI/K7MDENG&bPx<"key">'
NONE = Redaction((), ())


def test_secret_values_are_those_of_secret_names() -> None:
    environment = {
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "APCA_API_KEY_ID": "PKAAAAAAAAAAAAAAAAAA",
        "GITHUB_TOKEN": "ghp_0123456789",
        "DB_PASSWORD": "correct horse",
        "SHORT_TOKEN": "1234567",
        "LONG_TOKEN": "12345678",
        "HOME": "/home/eva-of-the-desk",
        "KEYBOARD": "qwertz-layout",
    }

    assert secret_values(environment) == {SECRET, "PKAAAAAAAAAAAAAAAAAA", "ghp_0123456789", "correct horse", "12345678"}


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (f"x {SECRET} y", "x (hidden) y"),
        ("x wJalrXUtnFEMI/K7MDENG&amp;bPx&lt;&#34;key&#34;&gt; y", "x (hidden) y"),
        ("account 123456789012", "account …9012"),
        ("123456789012345", "…9012345"),
        ("arn:aws:iam::210987654321:user/eva", "arn:aws:iam::…4321:user/eva"),
        ("arn:aws-us-gov:sqs:us-east-1:210987654321:in", "arn:aws-us-gov:sqs:us-east-1:…4321:in"),
        ("https://sqs/210987654321/in", "https://sqs/…4321/in"),
        ("key AKIAIOSFODNN7EXAMPLE", "key (hidden)"),
        ("id 6f1c3b0e-9d5e-4c1b-8a55-000000000245", "id 6f1c3b0e-9d5e-4c1b-8a55-000000000245"),
        ("nothing to hide: $1,234,567.89", "nothing to hide: $1,234,567.89"),
    ],
)
def test_redaction_hides_secrets_and_nothing_else(body: str, shown: str) -> None:
    assert Redaction([SECRET], ["123456789012", ""])(body.encode()).decode() == shown


def test_redaction_hides_the_longer_of_two_secrets_whole() -> None:
    assert Redaction(["abcdefgh", "abcdefgh-and-more"], ())(b"abcdefgh-and-more") == b"(hidden)"


def test_redaction_without_secrets_still_shortens_accounts() -> None:
    assert NONE(b"arn:aws:iam::210987654321:root").decode() == "arn:aws:iam::…4321:root"


def test_shortened_keeps_the_last_four() -> None:
    assert shortened("PA3SANDBOX") == "…DBOX"
