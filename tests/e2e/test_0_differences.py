"""What the emulator does not do as AWS does, and what nothing corrects: docs/rehearsal.md has a row for each.

A test that fails here means that a new version of the emulator does it: remove the test, and change the row.
"""

import json
import time
from functools import cached_property
from typing import Any

import pytest

from tests.e2e.conftest import Sandbox

ACCOUNT = "000000000004"
STACK = "differences"
TRUST = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}
ROLE = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}}
QUEUE = {"Fn::GetAtt": ["Queue", "Arn"]}
TABLE: dict[str, Any] = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "BillingMode": "PAY_PER_REQUEST",
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    },
}
EXPIRY = {"Rules": [{"Id": "old", "Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 90}}]}
SCHEDULE = {
    "Type": "AWS::Scheduler::Schedule",
    "Properties": {
        "ScheduleExpression": "cron(45 15 ? * MON-FRI *)",
        "ScheduleExpressionTimezone": "America/New_York",
        "State": "DISABLED",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": QUEUE, "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}},
    },
}
FUNCTION = {
    "Type": "AWS::Lambda::Function",
    "Properties": {
        "Runtime": "python3.12",
        "Handler": "index.handler",
        "MemorySize": 20_000,
        "ReservedConcurrentExecutions": 5,
        "DeadLetterConfig": {"TargetArn": QUEUE},
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Code": {"ZipFile": "def handler(event, context):\n    print('called')\n    return 'x' * 7_000_000\n"},
    },
}
RESOURCES = {
    "Role": ROLE,
    "Queue": {"Type": "AWS::SQS::Queue"},
    "Table": TABLE,
    "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"LifecycleConfiguration": EXPIRY}},
    "Schedule": SCHEDULE,
    "Function": FUNCTION,
    "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"Misspelt": 1, "DisplayName": {"Ref": "Missing"}}},
}


class Account:
    """An account of the emulator with a stack of what AWS treats differently."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def client(self, service: str) -> Any:
        return self._sandbox.client(service, account=ACCOUNT)

    @cached_property
    def ids(self) -> dict[str, str]:
        """The physical ids of the stack's resources, by logical id."""
        resources = self.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}


@pytest.fixture(scope="module")
def account(running: Sandbox) -> Account:
    account = Account(running)
    cloudformation = account.client("cloudformation")
    body = json.dumps({"Resources": RESOURCES})
    cloudformation.create_stack(StackName=STACK, TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
    while cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"] == "CREATE_IN_PROGRESS":
        time.sleep(0.05)
    return account


def test_emulator_accepts_misspelt_properties_and_missing_references(account: Account) -> None:
    stack = account.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]

    assert (stack["StackStatus"], "Topic" in account.ids) == ("CREATE_COMPLETE", True)


def test_emulator_describes_changes_without_values(account: Account) -> None:
    cloudformation = account.client("cloudformation")
    body = json.dumps({"Resources": {**RESOURCES, "Topic": {"Type": "AWS::SNS::Topic", "Properties": {}}}})
    cloudformation.create_change_set(
        StackName=STACK, ChangeSetName="topic", TemplateBody=body, Capabilities=["CAPABILITY_IAM"]
    )
    cloudformation.get_waiter("change_set_create_complete").wait(
        StackName=STACK, ChangeSetName="topic", WaiterConfig={"Delay": 0.05}
    )

    changes = cloudformation.describe_change_set(StackName=STACK, ChangeSetName="topic", IncludePropertyValues=True)

    targets = [detail["Target"] for change in changes["Changes"] for detail in change["ResourceChange"]["Details"]]
    assert targets
    assert [target for target in targets if "BeforeValue" in target or "AfterValue" in target] == []


def test_emulator_ignores_backups_and_expiry_of_tables(account: Account) -> None:
    dynamodb, table = account.client("dynamodb"), account.ids["Table"]

    backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    expiry = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]

    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"
    assert expiry["TimeToLiveStatus"] == "DISABLED"


def test_emulator_restores_tables_without_backups(account: Account) -> None:
    restored = account.client("dynamodb").restore_table_to_point_in_time(
        SourceTableName=account.ids["Table"], TargetTableName="restored", UseLatestRestorableTime=True
    )

    assert restored["TableDescription"]["TableStatus"] == "ACTIVE"


def test_emulator_ignores_the_lifecycle_of_buckets(account: Account) -> None:
    s3 = account.client("s3")

    with pytest.raises(s3.exceptions.ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket=account.ids["Bucket"])


def test_emulator_ignores_concurrency_and_dead_letters_of_functions(account: Account) -> None:
    functions, name = account.client("lambda"), account.ids["Function"]

    assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(FunctionName=name)
    assert "DeadLetterConfig" not in functions.get_function_configuration(FunctionName=name)


def test_emulator_limits_neither_memory_nor_answers(account: Account) -> None:
    functions, name = account.client("lambda"), account.ids["Function"]

    assert functions.get_function_configuration(FunctionName=name)["MemorySize"] == 20_000
    assert len(functions.invoke(FunctionName=name)["Payload"].read()) > 7_000_000


def test_emulator_runs_deployed_schedules_in_utc(account: Account) -> None:
    name = account.ids["Schedule"].rpartition("/")[2]

    assert account.client("scheduler").get_schedule(Name=name)["ScheduleExpressionTimezone"] == "UTC"


def test_emulator_confirms_subscriptions_by_mail_at_once(account: Account) -> None:
    subscription = account.client("sns").subscribe(
        TopicArn=account.ids["Topic"], Protocol="email", Endpoint="trader@example.com"
    )

    assert subscription["SubscriptionArn"].startswith(account.ids["Topic"])


def test_emulator_verifies_senders_at_once_and_mails_to_anybody(account: Account) -> None:
    mail = account.client("sesv2")

    assert mail.create_email_identity(EmailIdentity="desk@example.com")["VerifiedForSendingStatus"] is True
    assert mail.get_account()["ProductionAccessEnabled"] is True


def test_emulator_accepts_any_secret_key(running: Sandbox) -> None:
    sts = running.client("sts", account=ACCOUNT, key="wrong")

    assert sts.get_caller_identity()["Account"] == ACCOUNT


def test_emulator_gives_the_name_of_a_deleted_queue_away_at_once(account: Account) -> None:
    sqs = account.client("sqs")
    sqs.delete_queue(QueueUrl=sqs.create_queue(QueueName="again")["QueueUrl"])

    assert sqs.create_queue(QueueName="again")["QueueUrl"].endswith("/again")


def test_emulator_moves_no_dead_letters_back(account: Account) -> None:
    sqs = account.client("sqs")

    with pytest.raises(sqs.exceptions.ClientError, match="InvalidAction"):
        sqs.start_message_move_task(SourceArn=f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead-letters")


def test_emulator_accepts_events_of_any_size(account: Account) -> None:
    entry = {"Source": "tests", "DetailType": "Large", "Detail": json.dumps({"text": "x" * 1_100_000})}

    assert account.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def test_emulator_keeps_nothing_encrypted(account: Account) -> None:
    table = account.client("dynamodb").describe_table(TableName=account.ids["Table"])["Table"]

    assert account.client("kms").list_keys()["Keys"] == []
    assert "SSEDescription" not in table
