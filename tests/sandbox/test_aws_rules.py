from typing import Any

import pytest

from sandbox import aws_rules

UNUSED = "One or more parameter values were invalid: Some AttributeDefinitions are not used. "
UNDEFINED = (
    "One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. "
)
TWO_INDEXES = "Cannot perform more than one GSI creation or deletion in a single update"
STACK_ID = "arn:aws:cloudformation:us-east-1:1:stack/shop/2"


def keys(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": "HASH"} for name in names]


def attributes(**types: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()]


def indexes(*names: str, projection: str = "ALL", reads: int = 1) -> list[dict[str, Any]]:
    return [
        {
            "IndexName": name,
            "KeySchema": keys(name),
            "Projection": {"ProjectionType": projection},
            "ProvisionedThroughput": {"ReadCapacityUnits": reads},
        }
        for name in names
    ]


def table(*key_names: str, **properties: Any) -> dict[str, Any]:
    return {"KeySchema": keys(*key_names), "AttributeDefinitions": attributes(pk="S"), **properties}


def stack(status: str) -> dict[str, str]:
    return {"StackName": "shop", "StackId": STACK_ID, "StackStatus": status}


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (table("pk"), False),
        (table("pk", BillingMode="PROVISIONED"), False),
        (table("pk", GlobalSecondaryIndexes=indexes("a")), False),
        (table("pk", AttributeDefinitions=attributes(pk="S", a="S")), False),
        (table("pk", AttributeDefinitions=attributes(a="N")), False),
        (table("pk", "sk"), True),
        (table("pk", LocalSecondaryIndexes=indexes("a")), True),
        (table("pk", AttributeDefinitions=attributes(pk="N")), True),
        (table("pk", AttributeDefinitions=attributes(a="S", pk="N")), True),
    ],
)
def test_is_table_replaced_by_new_keys_or_types(after: dict[str, Any], expected: bool) -> None:
    assert aws_rules.is_table_replaced(table("pk"), after) is expected


@pytest.mark.parametrize(
    "properties",
    [
        {"AttributeDefinitions": attributes(pk="S")},
        {"AttributeDefinitions": attributes(pk="S", a="S"), "GlobalSecondaryIndexes": indexes("a")},
        {"AttributeDefinitions": attributes(pk="S", b="S"), "LocalSecondaryIndexes": indexes("b")},
    ],
)
def test_refuse_attributes_accepts_what_keys_use(properties: dict[str, Any]) -> None:
    assert aws_rules.refuse_attributes(table("pk", **properties)) == ""


def test_refuse_attributes_names_unused_and_undefined_ones() -> None:
    unused = table("pk", AttributeDefinitions=attributes(pk="S", a="S"))
    undefined = table("pk", GlobalSecondaryIndexes=indexes("b"), LocalSecondaryIndexes=indexes("c"))

    assert aws_rules.refuse_attributes(unused) == UNUSED + "AttributeDefinitions: [a, pk], keys used: [pk]"
    assert aws_rules.refuse_attributes(undefined) == UNDEFINED + "Keys: [b, c, pk], AttributeDefinitions: [pk]"


def test_refuse_attributes_of_a_table_without_any_accepts() -> None:
    assert aws_rules.refuse_attributes({}) == ""


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ((), ("a",), ""),
        (("a",), (), ""),
        (("a", "b"), ("a",), ""),
        ((), ("a", "b"), TWO_INDEXES),
        (("a", "b"), (), TWO_INDEXES),
        (("a",), ("b",), TWO_INDEXES),
    ],
)
def test_refuse_indexes_allows_one_change(before: tuple[str, ...], after: tuple[str, ...], reason: str) -> None:
    old, new = {"GlobalSecondaryIndexes": indexes(*before)}, {"GlobalSecondaryIndexes": indexes(*after)}

    assert aws_rules.refuse_indexes(old, new) == reason


def test_refuse_indexes_without_indexes_accepts() -> None:
    assert aws_rules.refuse_indexes({}, {"GlobalSecondaryIndexes": None}) == ""


@pytest.mark.parametrize(
    ("changed", "is_refused"),
    [
        (indexes("a", projection="KEYS_ONLY"), True),
        ([{**indexes("a")[0], "KeySchema": keys("b")}], True),
        (indexes("a", reads=2), False),
    ],
)
def test_refuse_indexes_keeps_keys_and_projection(changed: list[dict[str, Any]], is_refused: bool) -> None:
    reason = aws_rules.refuse_indexes({"GlobalSecondaryIndexes": indexes("a")}, {"GlobalSecondaryIndexes": changed})

    assert reason.startswith("Cannot update GSI's properties other than Provisioned Throughput") is is_refused
    assert bool(reason) is is_refused


@pytest.mark.parametrize(
    ("status", "is_refused"),
    [
        ("CREATE_COMPLETE", False),
        ("CREATE_FAILED", False),
        ("IMPORT_COMPLETE", False),
        ("IMPORT_ROLLBACK_COMPLETE", False),
        ("UPDATE_COMPLETE", False),
        ("UPDATE_FAILED", False),
        ("UPDATE_ROLLBACK_COMPLETE", False),
        ("CREATE_IN_PROGRESS", True),
        ("DELETE_FAILED", True),
        ("REVIEW_IN_PROGRESS", True),
        ("ROLLBACK_COMPLETE", True),
        ("UPDATE_IN_PROGRESS", True),
        ("UPDATE_ROLLBACK_FAILED", True),
        ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", True),
    ],
)
def test_refuse_change_set_of_a_stack_that_cannot_be_updated(status: str, is_refused: bool) -> None:
    expected = f"Stack:{STACK_ID} is in {status} state and can not be updated." if is_refused else ""

    assert aws_rules.refuse_change_set(stack(status), "UPDATE", "next") == expected


@pytest.mark.parametrize("kind", ["CREATE", "IMPORT"])
def test_refuse_change_set_accepts_a_stack_that_was_never_created(kind: str) -> None:
    assert aws_rules.refuse_change_set(stack("REVIEW_IN_PROGRESS"), kind, "next") == ""


def test_refuse_change_set_creates_nothing_over_a_failed_creation() -> None:
    reason = aws_rules.refuse_change_set(stack("ROLLBACK_COMPLETE"), "CREATE", "next")

    assert reason == "Stack [shop] already exists and cannot be created again with the changeSet [next]."


@pytest.mark.parametrize(
    ("status", "is_refused"),
    [
        ("UPDATE_IN_PROGRESS", True),
        ("UPDATE_ROLLBACK_IN_PROGRESS", True),
        ("UPDATE_COMPLETE", False),
        ("CREATE_IN_PROGRESS", False),
        ("DELETE_IN_PROGRESS", False),
    ],
)
def test_refuse_deletion_of_a_stack_that_is_updated(status: str, is_refused: bool) -> None:
    expected = f"Stack [{STACK_ID}] cannot be deleted while in status {status}" if is_refused else ""

    assert aws_rules.refuse_deletion(stack(status)) == expected


@pytest.mark.parametrize(
    ("after", "importers", "reason"),
    [
        ({"Bus": "a"}, ("app",), ""),
        ({"Bus": "a", "New": "b"}, ("app",), ""),
        ({"Bus": "b"}, (), ""),
        ({"Bus": "b"}, ("app",), "Export Bus cannot be updated as it is in use by app"),
        ({}, ("app", "web"), "Export Bus cannot be deleted as it is in use by app and web"),
    ],
)
def test_refuse_exports_that_are_imported(after: dict[str, str], importers: tuple[str, ...], reason: str) -> None:
    assert aws_rules.refuse_exports({"Bus": "a"}, after, lambda name: importers) == reason


def test_refuse_exports_asks_for_changed_exports_only() -> None:
    asked: list[str] = []

    def importers(name: str) -> list[str]:
        asked.append(name)
        return []

    aws_rules.refuse_exports({"Same": "a", "Changed": "b", "Removed": "c"}, {"Same": "a", "Changed": "z"}, importers)

    assert asked == ["Changed", "Removed"]
