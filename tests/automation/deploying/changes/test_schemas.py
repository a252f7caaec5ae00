import pytest

from automation.deploying.changes import schemas
from automation.deploying.changes.model import Replacement
from automation.system.errors import ToolError

NO, CONDITIONAL, YES = Replacement.NO, Replacement.CONDITIONAL, Replacement.YES
TABLE = "AWS::DynamoDB::Table"


def definition(name: str, kind: str = "S") -> dict[str, str]:
    return {"AttributeName": name, "AttributeType": kind}


@pytest.mark.parametrize(
    ("resource_type", "path", "expected"),
    [
        ("AWS::IAM::Role", "Properties.RoleName", YES),
        ("AWS::IAM::Role", "Properties.Policies", NO),
        ("AWS::IAM::Role", "DeletionPolicy", NO),
        ("AWS::IAM::Role", "RoleName", NO),
        ("AWS::SQS::Queue", "Properties.FifoQueue", YES),
        ("AWS::Events::Rule", "Properties.EventBusName", CONDITIONAL),
        # A nested property of a property that replaces counts, a property that only starts alike does not.
        ("AWS::Lambda::Function", "Properties.TenancyConfig.TenantIsolationMode", YES),
        ("AWS::Lambda::Function", "Properties.FunctionNameSuffix", NO),
        # The whole around a property that replaces may leave it as it is.
        ("AWS::BCMDataExports::Export", "Properties.Export.Name", YES),
        ("AWS::BCMDataExports::Export", "Properties.Export", CONDITIONAL),
        ("AWS::BCMDataExports::Export", "Properties.Export.Description", NO),
        ("AWS::AppSync::GraphQLApi", "Properties.UserPoolConfig.AwsRegion", CONDITIONAL),
        ("AWS::MSK::Replicator", "Properties.ReplicationInfoList", CONDITIONAL),
        ("AWS::MSK::Replicator", "Properties.ReplicationInfoList.0.SourceKafkaClusterArn", YES),
        ("AWS::MSK::Replicator", "Properties.ReplicationInfoList.0.Other", NO),
        # On a type that holds data, CONDITIONAL counts as YES.
        (TABLE, "Properties.KeySchema", YES),
        (TABLE, "Properties.LocalSecondaryIndexes", YES),
        (TABLE, "Properties.GlobalSecondaryIndexes", NO),
        ("AWS::OpenSearchService::Domain", "Properties.EncryptionAtRestOptions", YES),
        ("Custom::Thing", "Properties.Name", NO),
    ],
)
def test_replacement_of_follows_the_schemas(resource_type: str, path: str, expected: Replacement) -> None:
    assert schemas.replacement_of(resource_type, path) is expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([definition("pk")], [definition("pk"), definition("day")], NO),
        ([definition("pk"), definition("day")], [definition("pk")], NO),
        ([definition("pk"), definition("day")], [definition("day"), definition("pk")], NO),
        ([definition("pk"), definition("day")], [definition("pk"), definition("day", "N")], YES),
        (None, [definition("pk")], NO),
        (["pk"], {"Ref": "Definitions"}, NO),
    ],
)
@pytest.mark.parametrize("resource_type", [TABLE, "AWS::DynamoDB::GlobalTable"])
def test_replacement_of_attribute_definitions_compares_types(
    resource_type: str, before: object, after: object, expected: Replacement
) -> None:
    answer = schemas.replacement_of(resource_type, "Properties.AttributeDefinitions", before=before, after=after)

    assert answer is expected


@pytest.mark.parametrize("resource_type", [TABLE, "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::SSM::Parameter"])
def test_is_stateful_of_types_that_hold_data(resource_type: str) -> None:
    assert schemas.is_stateful(resource_type)


@pytest.mark.parametrize("resource_type", ["AWS::Lambda::Function", "AWS::IAM::Role", "Custom::Thing"])
def test_is_stateful_not_of_other_types(resource_type: str) -> None:
    assert not schemas.is_stateful(resource_type)


def test_is_stateful_every_added_type_exists_and_is_needed() -> None:
    """A name that a newer cfn-lint lists itself, or does not know, is removed from our own list."""
    assert [name for name in schemas.ALSO_STATEFUL if not schemas.is_known(name)] == []
    assert [name for name in schemas.ALSO_STATEFUL if name in schemas.listed_stateful()] == []


def test_is_known_tells_schemas_from_custom_resources() -> None:
    assert schemas.is_known("AWS::IAM::Role")
    assert not schemas.is_known("Custom::Thing")


def test_worst_is_the_most_severe() -> None:
    assert schemas.worst() is NO
    assert schemas.worst(NO, CONDITIONAL) is CONDITIONAL
    assert schemas.worst(YES, CONDITIONAL, NO) is YES


def test_counted_raises_only_what_may_lose_data() -> None:
    assert schemas.counted(TABLE, CONDITIONAL) is YES
    assert schemas.counted(TABLE, NO) is NO
    assert schemas.counted("AWS::Events::Rule", CONDITIONAL) is CONDITIONAL
    assert schemas.counted("AWS::Events::Rule", YES) is YES


def test_uncertain_replaces_for_sure_only_what_holds_data() -> None:
    assert schemas.uncertain(TABLE, YES) is YES
    assert schemas.uncertain("AWS::Events::Rule", YES) is CONDITIONAL
    assert schemas.uncertain("AWS::Events::Rule", NO) is NO


def test_find_data_without_cfn_lint_says_how_to_install_it() -> None:
    with pytest.raises(ToolError) as raised:
        schemas.find_data("no_such_package")

    assert raised.value.message == (
        "no_such_package is not installed, and its schemas say which changes replace a resource; "
        "run: pip install cfn-lint"
    )
