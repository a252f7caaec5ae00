"""The assessment as a whole: lines, ranks, names, what is allowed, what stays hidden."""

import pytest

from automation.deploying.changes.model import (
    Action,
    PropertyChange,
    Rank,
    RankedChange,
    Replacement,
    ResourceChange,
    Verdict,
)
from automation.deploying.verdict import dangers
from automation.deploying.verdict.aspects import Facts
from automation.project.settings import Watched
from tests.automation.deploying.planned_changes import (
    ALARM,
    FUNCTION,
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

TABLES = {"Ledger": resource(TABLE, {"KeySchema": ["a"]}), "Runs": resource(TABLE, {"KeySchema": ["b"]})}


def test_nothing_changed_is_nothing_to_do() -> None:
    assessment = dangers.assess(())

    assert (assessment.changes, assessment.dangers, assessment.allowed, assessment.unused) == ((), (), (), ())
    assert assessment.verdict is Verdict.NOTHING


def test_lines_are_ranked_and_otherwise_in_order() -> None:
    before = {"F": resource(FUNCTION, {"Timeout": 1}), "A": resource(ALARM), **TABLES}
    after = {"F": resource(FUNCTION, {"Timeout": 2, "MemorySize": 1}), "Z": resource(ROLE)}

    assessment = assess(before, after)

    assert [(line.rank, line.resource) for line in assessment.changes] == [
        (Rank.DATA_LOSS, "Ledger"),
        (Rank.DATA_LOSS, "Runs"),
        (Rank.PERMISSIONS, "Z"),
        (Rank.MONITORING, "A"),
        (Rank.OTHER, "F"),
        (Rank.OTHER, "F"),
    ]


@pytest.mark.parametrize(
    ("kind", "rank", "needs_attention"),
    [
        (FUNCTION, Rank.OTHER, True),
        ("AWS::Events::EventBus", Rank.OTHER, True),
        (ROLE, Rank.PERMISSIONS, False),
        ("AWS::SQS::QueuePolicy", Rank.PERMISSIONS, False),
        ("AWS::Lambda::Permission", Rank.PERMISSIONS, False),
        ("AWS::Lambda::LayerVersion", Rank.LAYERS, False),
    ],
)
def test_removed_resource_has_one_line(kind: str, rank: Rank, *, needs_attention: bool) -> None:
    [line] = assess({"X": resource(kind)}, {}).changes

    assert (line.rank, line.what, line.needs_attention) == (rank, "removed", needs_attention)
    assert (line.type, line.action) == (kind, Action.REMOVE)


def test_added_and_imported_resource_have_one_line() -> None:
    imported = ResourceChange("main", "X", TABLE, Action.IMPORT)

    assert lines(assess({}, {"X": resource(QUEUE)})) == [("added", False)]
    assert lines(dangers.assess([imported])) == [("imported", False)]


def test_property_that_follows_a_replaced_resource_says_so() -> None:
    before = {"R": resource(ROLE, {"RoleName": "a"}), "F": resource(FUNCTION, {"Description": {"Ref": "R"}})}
    after = {"R": resource(ROLE, {"RoleName": "b"}), "F": resource(FUNCTION, {"Description": {"Ref": "R"}})}

    assert lines(assess(before, after))[-1] == ("Description: refers to a resource that is replaced", False)


def test_property_without_values_says_that_it_may_change() -> None:
    """An emulator's change set names the properties that refer to a changed resource, and gives no values."""
    change = ResourceChange(
        "main", "X", ROLE, Action.MODIFY, properties=(PropertyChange("Properties.Policies"),), before={}, after={}
    )

    assert lines(dangers.assess([change])) == [("Policies: may change with a resource that it refers to", False)]


def test_property_of_a_replaced_resource_that_replaces_nothing_ranks_last() -> None:
    change = ResourceChange(
        "main",
        "X",
        TABLE,
        Action.MODIFY,
        Replacement.YES,
        properties=(
            PropertyChange("Properties.TableName", "a", "b", Replacement.YES),
            PropertyChange("Properties.BillingMode", "a", "b"),
        ),
    )

    ranks = {line.what: line.rank for line in dangers.assess([change]).changes}

    assert ranks["TableName: a -> b"] is Rank.DATA_LOSS
    assert ranks["BillingMode: a -> b"] is Rank.OTHER


def test_new_hash_of_a_deployment_has_no_property_line() -> None:
    before, after = ({f"D{digit * 10}": resource("AWS::ApiGateway::Deployment")} for digit in "ab")

    assert lines(assess(before, after)) == []


def test_assess_allows_exactly_the_named_danger() -> None:
    changes = compare(TABLES, {})

    assessment = dangers.assess(changes, allow=["delete:Ledger", "dirty"])

    assert [danger.name for danger in assessment.allowed] == ["delete:Ledger"]
    assert names(assessment) == ["delete:Runs"]
    assert (assessment.unused, assessment.verdict) == ((), Verdict.FORBIDDEN)


def test_assess_all_dangers_allowed_needs_consent() -> None:
    assessment = dangers.assess(compare(TABLES, {}), allow=["delete:Runs", "delete:Ledger"])

    assert (names(assessment), assessment.verdict) == ([], Verdict.CONSENT)


def test_assess_reports_names_that_no_danger_has_once() -> None:
    assessment = dangers.assess(compare(TABLES, {}), allow=["replace:Ledger", "replace:Ledger", "unpushed"])

    assert assessment.unused == ("replace:Ledger",)
    assert names(assessment) == ["delete:Ledger", "delete:Runs"]


def test_assess_in_a_sandbox_allows_all_but_what_aws_refuses() -> None:
    before = {**TABLES, "X": resource(TOPIC)}

    assessment = dangers.assess(compare(before, {"X": resource(QUEUE)}), enforce=False)

    assert names(assessment) == ["retype:X"]
    assert [danger.name for danger in assessment.allowed] == ["delete:Ledger", "delete:Runs"]


def test_assess_two_stacks_with_one_name_need_the_stack_in_it() -> None:
    claims = {"Claims": resource(TABLE, {"KeySchema": ["a"]})}
    changes = (*compare(claims, {}, stack="data"), *compare(claims, {}, stack="trading"))

    assessment = dangers.assess(changes, allow=["delete:data/Claims", "delete:Claims"])

    assert [danger.name for danger in assessment.allowed] == ["delete:data/Claims"]
    assert names(assessment) == ["delete:trading/Claims"]
    assert assessment.unused == ("delete:Claims",)


def test_assess_joins_the_dangers_of_one_kind_and_resource() -> None:
    before = {"BucketEncryption": "a", "VersioningConfiguration": {"Status": "Enabled"}}

    [danger] = update("AWS::S3::Bucket", before, {}).dangers

    assert danger.what == "versioning is switched off; the bucket's own encryption is removed"
    assert danger.fix == "keep VersioningConfiguration as deployed; keep BucketEncryption as deployed"


def test_assess_joins_equal_fixes_once() -> None:
    watched = tuple(Watched("selling", resource="X", property=name, forbid=("on",)) for name in ("Mode", "Value"))
    before, after = dict.fromkeys(("Mode", "Value"), "off"), dict.fromkeys(("Mode", "Value"), "on")

    [danger] = update("AWS::SSM::Parameter", before, after, Facts(watched)).dangers

    assert danger.what == "selling: Mode: off -> on; selling: Value: off -> on"
    assert danger.fix == "keep off; pyproject.toml forbids on as selling"


def test_assess_dangers_are_ranked() -> None:
    assessment = assess({"A": resource(ALARM), "T": resource(TABLE)}, {})

    assert names(assessment) == ["delete:T", "unwatch:A"]


def test_assess_shows_lines_of_others() -> None:
    line = RankedChange(Rank.OTHER, "main", "outputs", "", Action.MODIFY, "BusName is added")

    assert dangers.assess((), Facts(lines=(line,))).changes == (line,)


def test_assess_hides_values_everywhere() -> None:
    before = {"F": resource(FUNCTION, {"Environment": {"Variables": {"A": "geheim", "B": "geheimer"}}})}
    after = {"F": resource(FUNCTION, {"Environment": {"Variables": {"A": "x", "B": "y"}}})}

    assessment = assess(before, after, Facts(hidden=frozenset({"geheim", "geheimer", "Env"})))

    assert [what for what, _ in lines(assessment)] == [
        "Environment.Variables.A: (hidden) -> x",
        "Environment.Variables.B: (hidden) -> y",
    ]
    assert "(hidden)" in lines(update(TOPIC, {}, {"DisplayName": "pass"}, Facts(hidden=frozenset({"pass"}))))[0][0]
    assert "geheim" not in repr(Facts(hidden=frozenset({"geheim"})))


def test_assess_hides_values_in_dangers() -> None:
    facts = Facts(
        (Watched("word", resource="X", property="DisplayName", forbid=("on",)),), hidden=frozenset({"geheim"})
    )

    [danger] = update(TOPIC, {"DisplayName": "geheim"}, {"DisplayName": "on"}, facts).dangers

    assert danger.what == "word: DisplayName: (hidden) -> on"
