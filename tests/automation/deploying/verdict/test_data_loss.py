"""What loses data: removal, renaming, replacement, retention that goes, index changes that AWS refuses."""

from typing import Any

import pytest

from automation.deploying.changes.model import Action, PropertyChange, Rank, Replacement, ResourceChange, Verdict
from automation.deploying.verdict import dangers
from automation.deploying.verdict.aspects import Facts
from tests.automation.deploying.planned_changes import (
    BUCKET,
    QUEUE,
    ROLE,
    TABLE,
    TOPIC,
    assess,
    compare,
    lines,
    names,
    resource,
    update,
)

KEYS = [{"AttributeName": "pk", "KeyType": "HASH"}]
OTHER_KEYS = [{"AttributeName": "id", "KeyType": "HASH"}]
PK = {"AttributeName": "pk", "AttributeType": "S"}


def index(name: str, key: str = "pk") -> dict[str, Any]:
    projection = {"ProjectionType": "ALL"}
    return {"IndexName": name, "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}], "Projection": projection}


def table(*indexes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"KeySchema": KEYS, "AttributeDefinitions": [PK], "GlobalSecondaryIndexes": list(indexes), **more}


def test_removed_table_without_retain_is_deleted() -> None:
    [danger] = assess({"Ledger": resource(TABLE, table())}, {}).dangers

    assert (danger.name, danger.rank, danger.stack) == ("delete:Ledger", Rank.DATA_LOSS, "main")
    assert danger.what == "the table is deleted with its data"
    assert danger.fix == "keep Ledger in the template"


@pytest.mark.parametrize(
    ("policy", "what"),
    [
        ("Retain", "the table is orphaned: it stays in AWS with its data, but no stack manages it any more"),
        ("Snapshot", "the table is deleted after a last snapshot"),
    ],
)
def test_removed_table_with_a_policy_is_lost_too(policy: str, what: str) -> None:
    assessment = assess({"Ledger": resource(TABLE, table(), DeletionPolicy=policy)}, {})

    assert [(danger.name, danger.what) for danger in assessment.dangers] == [("delete:Ledger", what)]
    assert lines(assessment) == [(what, True)]


def test_removed_role_loses_no_data() -> None:
    assert names(assess({"Role": resource(ROLE), "Topic": resource(TOPIC)}, {})) == []


def test_renamed_table_names_its_twin_and_offers_the_import() -> None:
    before = {"Ledger": resource(TABLE, table(), DeletionPolicy="Retain")}
    after = {
        "Trades": resource(TABLE, table(BillingMode="PAY_PER_REQUEST")),
        "Other": resource(TABLE, {"KeySchema": []}),
    }

    [danger] = assess(before, after).dangers

    assert danger.name == "rename:Ledger"
    assert danger.what.startswith("renamed to Trades, which starts as a new, empty table; the table is orphaned")
    assert danger.fix.startswith("keep the logical id Ledger, or import the existing table as Trades: https://docs.aws")


def test_table_with_other_keys_is_no_twin() -> None:
    before, after = {"A": resource(TABLE, table())}, {"B": resource(TABLE, {**table(), "KeySchema": OTHER_KEYS})}

    assert names(assess(before, after)) == ["delete:A"]


def test_bucket_with_the_same_properties_but_labels_is_a_twin() -> None:
    same = {"VersioningConfiguration": {"Status": "Enabled"}}
    before = {"A": resource(BUCKET, {**same, "BucketName": "a", "Tags": []})}

    assert names(assess(before, {"B": resource(BUCKET, {**same, "BucketName": "b"})})) == ["rename:A"]
    assert names(assess(before, {"B": resource(BUCKET)})) == ["delete:A"]
    assert names(assess(before, {"B": resource(QUEUE, same)})) == ["delete:A"]


def test_table_moved_to_another_stack_is_renamed() -> None:
    moved = {"Ledger": resource(TABLE, table())}
    changes = (*compare(moved, {}, stack="trading"), *compare({}, moved, stack="data"))

    [danger] = dangers.assess(changes).dangers

    assert danger.name == "rename:Ledger"
    assert danger.what.startswith("renamed to Ledger in the stack data, which")


def test_twin_of_the_same_stack_comes_first() -> None:
    copies = {"B": resource(TABLE, table())}
    changes = (
        *compare({}, {"A": resource(TABLE, table())}, stack="a"),
        *compare({"Ledger": resource(TABLE, table())}, copies, stack="trading"),
    )

    [danger] = dangers.assess(changes).dangers

    assert danger.what.startswith("renamed to B, which")


def test_replaced_table_is_a_danger_with_its_cause() -> None:
    assessment = update(TABLE, {"KeySchema": KEYS}, {"KeySchema": OTHER_KEYS})

    [danger] = assessment.dangers
    assert (danger.name, danger.rank) == ("replace:X", Rank.DATA_LOSS)
    assert danger.what == (
        "is replaced by a new, empty table, because KeySchema changes; the old table is deleted with its data"
    )
    assert danger.fix == "keep KeySchema as deployed, or add a second table and move the data"
    assert lines(assessment)[1] == (
        "KeySchema: [{AttributeName: pk, KeyType: HASH}] -> [{AttributeName: id, KeyType: HASH}]",
        False,
    )
    assert {change.rank for change in assessment.changes} == {Rank.DATA_LOSS}


def test_replaced_table_with_retain_is_orphaned() -> None:
    before = {"X": resource(TABLE, {"TableName": "a"}, UpdateReplacePolicy="Retain")}
    after = {"X": resource(TABLE, {"TableName": "b"}, UpdateReplacePolicy="Retain")}

    [danger] = assess(before, after).dangers

    assert danger.what.endswith(
        "; the old table is orphaned: it stays in AWS with its data, but no stack manages it any more"
    )


@pytest.mark.parametrize("replacement", [Replacement.YES, Replacement.CONDITIONAL])
def test_replacement_without_a_known_cause_counts_on_a_stateful_type(replacement: Replacement) -> None:
    change = ResourceChange("main", "X", QUEUE, Action.MODIFY, replacement)

    [danger] = dangers.assess([change]).dangers

    verb = "is" if replacement is Replacement.YES else "can be"
    assert danger.what == f"{verb} replaced by a new, empty queue; the old queue is deleted with its data"
    assert danger.fix == "keep the resource as deployed, or add a second queue and move the data"


def test_replaced_role_needs_attention_only() -> None:
    assessment = update(ROLE, {"RoleName": "a"}, {"RoleName": "b"})

    assert assessment.verdict is Verdict.CONSENT
    assert lines(assessment) == [
        ("is replaced by a new role, because RoleName changes", True),
        ("RoleName: a -> b", False),
    ]
    assert {change.rank for change in assessment.changes} == {Rank.REPLACEMENT}


def test_conditional_replacement_of_a_rule_may_happen() -> None:
    causes = (PropertyChange("Properties.EventBusName", "a", "b", Replacement.CONDITIONAL),)
    change = ResourceChange("main", "X", "AWS::Events::Rule", Action.MODIFY, Replacement.CONDITIONAL, "", causes)

    assert lines(dangers.assess([change]))[0][0] == "may be replaced by a new rule, because EventBusName changes"


@pytest.mark.parametrize("replacement", [Replacement.YES, Replacement.CONDITIONAL])
def test_new_attributes_replace_no_table_even_if_cloudformation_says_so(replacement: Replacement) -> None:
    before, after = table(), table()
    after["AttributeDefinitions"] = [PK, {"AttributeName": "day", "AttributeType": "S"}]
    causes = (PropertyChange("Properties.AttributeDefinitions", [PK], after["AttributeDefinitions"], replacement),)
    change = ResourceChange(
        "main", "X", TABLE, Action.MODIFY, replacement, "", causes, resource(TABLE, before), resource(TABLE, after)
    )

    assert dangers.assess([change]).verdict is Verdict.SAFE


def test_retyped_attribute_replaces_the_table() -> None:
    retyped = {**table(), "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "N"}]}

    assert names(update(TABLE, table(), retyped)) == ["replace:X"]


def test_two_causes_of_a_replacement_are_both_named() -> None:
    before, after = {"TableName": "a", "KeySchema": KEYS}, {"TableName": "b", "KeySchema": OTHER_KEYS}

    [danger] = update(TABLE, before, after).dangers

    assert "because TableName, KeySchema change; " in danger.what
    assert danger.fix.startswith("keep TableName, KeySchema as deployed")


def test_index_change_without_known_resources_is_left_out() -> None:
    change = ResourceChange("main", "X", TABLE, Action.MODIFY)
    facts = Facts(deployed_indexes={("main", "X"): frozenset({"a", "b"})})

    assert dangers.assess([change], facts).verdict is Verdict.NOTHING


@pytest.mark.parametrize("label", ["Tags", "Description", "TableName", "QueueName", "BucketName"])
def test_twin_may_have_other_labels(label: str) -> None:
    before, after = {"A": resource(BUCKET, {label: "a"})}, {"B": resource(BUCKET, {label: "b"})}

    assert names(assess(before, after)) == ["rename:A"]


def test_replacement_without_known_resources_counts() -> None:
    causes = (PropertyChange("Properties.AttributeDefinitions", [], [], Replacement.YES),)
    change = ResourceChange("main", "X", TABLE, Action.MODIFY, Replacement.YES, "", causes)

    assert names(dangers.assess([change])) == ["replace:X"]


@pytest.mark.parametrize("path", ["DeletionPolicy", "UpdateReplacePolicy"])
@pytest.mark.parametrize(
    ("before", "after", "is_danger"),
    [
        ("Retain", "Delete", True),
        ("Retain", None, True),
        ("Retain", "Snapshot", True),
        ("Snapshot", "Delete", True),
        ("RetainExceptOnCreate", "Delete", True),
        ("Retain", "RetainExceptOnCreate", False),
        ("Delete", "Retain", False),
        ("Snapshot", "Retain", False),
        (None, "Delete", False),
    ],
)
def test_weaker_retention_is_a_danger(path: str, before: str | None, after: str | None, *, is_danger: bool) -> None:
    sides = [resource(TABLE, table(), **({path: policy} if policy else {})) for policy in (before, after)]

    assessment = assess({"X": sides[0]}, {"X": sides[1]})

    assert names(assessment) == (["unretain:X"] if is_danger else [])
    if is_danger:
        event = "removed" if path == "DeletionPolicy" else "replaced"
        [danger] = assessment.dangers
        assert danger.what == f"{path}: {before} -> {after or 'Delete'}: the table would be lost once it is {event}"
        assert danger.fix == f"keep {path}: {before}"


def test_weaker_retention_of_a_role_is_not_a_danger() -> None:
    assert names(assess({"X": resource(ROLE, DeletionPolicy="Retain")}, {"X": resource(ROLE)})) == []


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ([], ["a"], "GlobalSecondaryIndexes: adds a"),
        (["a", "b"], ["b"], "GlobalSecondaryIndexes: removes a"),
    ],
)
def test_one_index_change_is_not_a_danger(before: list[str], after: list[str], what: str) -> None:
    assessment = update(TABLE, table(*map(index, before)), table(*map(index, after)))

    assert (names(assessment), lines(assessment)) == ([], [(what, what.endswith("removes a"))])


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ([], [index("a"), index("b")], "adds a, adds b"),
        ([index("a")], [index("b")], "adds b, removes a"),
        ([index("a")], [index("a", "id")], "changes a"),
    ],
)
def test_two_index_changes_are_refused(before: list[Any], after: list[Any], what: str) -> None:
    assessment = dangers.assess(
        compare({"X": resource(TABLE, table(*before))}, {"X": resource(TABLE, table(*after))}), allow=["gsi:X"]
    )

    [danger] = assessment.dangers
    assert danger.name == "gsi:X"
    assert danger.what == f"{what}: AWS refuses more than one addition or removal of an index per update of a table"
    assert danger.fix.startswith("deploy one index at a time")
    assert assessment.verdict is Verdict.FORBIDDEN


def test_index_changes_are_compared_with_the_deployed_table() -> None:
    after = table(index("a"), index("b"))

    has_one = Facts(deployed_indexes={("main", "X"): frozenset({"a"})})
    has_none = Facts(deployed_indexes={("main", "X"): frozenset()})

    assert names(update(TABLE, table(), after, has_one)) == []
    assert names(update(TABLE, table(index("a")), after, has_none)) == ["gsi:X"]


def test_capacity_of_an_index_is_no_index_change() -> None:
    before, after = index("a"), {**index("a"), "OnDemandThroughput": {"MaxReadRequestUnits": 1}}

    assert names(update(TABLE, table(before, index("b")), table(after, index("b")))) == []


def test_replaced_table_may_have_any_number_of_new_indexes() -> None:
    after = {**table(index("a"), index("b")), "TableName": "new"}

    assert names(update(TABLE, table(), after)) == ["replace:X"]


def test_changed_type_is_refused() -> None:
    assessment = dangers.assess(compare({"X": resource(TOPIC)}, {"X": resource(QUEUE)}), allow=["retype:X"])

    [danger] = assessment.dangers
    assert danger.what == "the type changes from AWS::SNS::Topic to AWS::SQS::Queue: CloudFormation refuses this"
    assert danger.fix == "give the new resource a logical id of its own"
    assert len(assessment.changes) == 1
