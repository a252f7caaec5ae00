"""Values of properties as texts: intrinsics, secrets, long values."""

from typing import Any

import pytest

from automation.deploying.verdict import property_texts


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (3, "3"),
        (True, "true"),
        (None, "(none)"),
        ([1, "b"], "[1, b]"),
        ({"a": 1, "b": [2]}, "{a: 1, b: [2]}"),
        ({"Ref": "Ledger"}, "${Ledger}"),
        ({"Fn::GetAtt": ["Ledger", "Arn"]}, "${Ledger.Arn}"),
        ({"Fn::GetAtt": "Ledger.Arn"}, "${Ledger.Arn}"),
        ({"Fn::Sub": "${Ledger.Arn}/x"}, "${Ledger.Arn}/x"),
        ({"Fn::Sub": ["${a}", {"a": "b"}]}, "{Fn::Sub: [${a}, {a: b}]}"),
        ({"Fn::ImportValue": "data-Bus"}, "${import data-Bus}"),
        ({"Fn::Join": ["/", ["a", {"Ref": "B"}]]}, "a/${B}"),
        ({"Fn::Join": ["/", {"Ref": "B"}]}, "{Fn::Join: [/, ${B}]}"),
        ({"Fn::If": ["C", "a", "b"]}, "{Fn::If: [C, a, b]}"),
        ({"Password": "geheim", "Name": "n"}, "{Password: (hidden), Name: n}"),
    ],
)
def test_text_of_value_reads_like_the_template(value: Any, text: str) -> None:
    assert property_texts.text_of(value) == text


@pytest.mark.parametrize("name", ["BROKER_SECRET", "MasterUserPassword", "authToken", "ApiKey", "private_key"])
def test_change_text_of_a_secret_hides_both_values(name: str) -> None:
    assert property_texts.change_text(f"Properties.{name}", "a", "b") == f"{name}: (hidden) -> (hidden)"


def test_change_text_of_a_property_shows_both_values() -> None:
    assert property_texts.change_text("Properties.MemorySize", 512, 600) == "MemorySize: 512 -> 600"
    assert property_texts.change_text("DeletionPolicy", None, "Retain") == "DeletionPolicy: (none) -> Retain"


def test_pair_text_of_long_values_starts_before_the_difference() -> None:
    shared = "s" * 200

    text = property_texts.pair_text(f"{shared}a", f"{shared}b")

    assert text == f"…{'s' * 12}a -> …{'s' * 12}b"


def test_pair_text_of_100_characters_is_whole() -> None:
    assert property_texts.pair_text("a" * 100, "b") == f"{'a' * 100} -> b"


def test_pair_text_of_101_different_characters_is_cut() -> None:
    assert property_texts.pair_text("a" * 101, "b") == f"{'a' * 99}… -> b"


@pytest.mark.parametrize(("value", "is_on"), [(True, True), ("Enabled", True), ("ACTIVE", True), ("Suspended", False)])
def test_is_on_reads_every_spelling(value: Any, is_on: bool) -> None:
    assert property_texts.is_on(value) is is_on
    assert property_texts.is_on(None) is False


@pytest.mark.parametrize(("value", "number"), [("30", 30.0), (1, 1.0), ({"Ref": "X"}, None), ("x", None), (None, None)])
def test_number_of_a_value_is_none_when_unknown(value: Any, number: float | None) -> None:
    assert property_texts.number(value) == number


def test_value_of_follows_the_path_below_properties() -> None:
    table = {"Properties": {"SSESpecification": {"SSEEnabled": True}}}

    assert property_texts.value_of(table, "SSESpecification.SSEEnabled") is True
    assert property_texts.value_of(table, "SSESpecification.Other.Deeper") is None
    assert property_texts.value_of(None, "Name") is None


@pytest.mark.parametrize(("value", "expected"), [(None, []), ("ab", ["ab"]), (["a"], ["a"]), ({"k": 1}, [{"k": 1}])])
def test_as_list_wraps_what_is_not_a_list(value: Any, expected: list[Any]) -> None:
    assert property_texts.as_list(value) == expected
