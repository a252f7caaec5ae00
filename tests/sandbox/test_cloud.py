"""LocalCloud and find_deployment on the real emulator, with one small stack."""

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

import sandbox
from automation.system.aws import client
from automation.system.errors import ConfigurationError, ToolError
from automation.system.targets import Target
from sandbox import emulator
from sandbox.aws_account import BROKER_SECRET, prepare_account
from sandbox.cloud import LocalCloud
from sandbox.deployment import Deployment, find_deployment, module_of
from sandbox.schedules import due_schedules
from sandbox.settings import SandboxSettings
from tests.sandbox.book_checks import books
from tests.sandbox.days import BOUGHT, entry_of
from tests.sandbox.test_servers import free_port
from tests.the_alchemiser.run_builders import DAY, RUN_ID, WALL, evaluating, loaded, new_run
from the_alchemiser.shared.books.dynamo_books import DynamoBooks
from the_alchemiser.shared.ledger.dynamo_ledger import DynamoLedger
from the_alchemiser.shared.market_data.verdict import VERDICT_KEY, Verdict
from the_alchemiser.shared.run.dynamo_runs import DynamoRunStore
from the_alchemiser.shared.run.runs import RunState

pytestmark = pytest.mark.enable_socket
ROOT = Path(sandbox.__file__).parent.parent
TEMPLATE = Path(__file__).parent / "small_stack.yaml"


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    settings = SandboxSettings(ROOT, tmp_path_factory.mktemp("sandbox"), free_port(), 1)
    emulator.start(settings)
    yield Target("us-east-1", settings.emulator_url, "test", "test")
    emulator.stop(settings)


@pytest.fixture(scope="module")
def deployment(target: Target) -> Deployment:
    cloudformation = client("cloudformation", target)
    cloudformation.create_stack(StackName="small", TemplateBody=TEMPLATE.read_text(), Capabilities=["CAPABILITY_IAM"])
    waiter = cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName="small", WaiterConfig={"Delay": 0.1, "MaxAttempts": 200})
    return find_deployment(target, ["small"])


@pytest.fixture
def cloud(target: Target, deployment: Deployment) -> Iterator[LocalCloud]:
    cloud = LocalCloud(target, deployment)
    yield cloud
    cloud.close()


def eventually(condition: Callable[[], bool]) -> bool:
    """Return True as soon as the condition is true, False when it is not within ten seconds."""
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_find_deployment_reads_functions_queues_and_outputs(deployment: Deployment) -> None:
    assert list(deployment.functions) == list(deployment.log_groups) == ["index"]
    assert deployment.log_groups["index"].startswith("small-Logs-")
    assert sorted((queue.module, queue.is_dead_letter) for queue in deployment.queues.values()) == [
        ("index", False),
        ("index", True),
    ]
    retries = {queue.is_dead_letter: (queue.visibility_s, queue.max_receives) for queue in deployment.queues.values()}
    assert retries == {False: (34, 3), True: (0, 0)}
    assert (deployment.longest_visibility_s, deployment.longest_retry_s) == (34, 102)
    assert deployment.parameters == {"Stage": "local"}
    assert deployment.output("RunsTable").startswith("small-Runs")


def test_find_deployment_reads_schedules_in_new_york_time(deployment: Deployment) -> None:
    evening = datetime(2022, 3, 16, 0, 0, tzinfo=UTC)

    assert [schedule.body for schedule in due_schedules(deployment.schedules, evening)] == ['{"say": "handled"}']


def test_find_deployment_of_a_missing_stack_says_deploy(target: Target) -> None:
    with pytest.raises(ConfigurationError, match="missing: is not deployed; run inv deploy --env local"):
        find_deployment(target, ["missing"])


def test_find_deployment_without_an_emulator_says_up() -> None:
    unreachable = Target("us-east-1", f"http://127.0.0.1:{free_port()}", "test", "test")

    with pytest.raises(ToolError, match=r"inv sandbox\.up"):
        find_deployment(unreachable, ["small"])


def test_output_that_is_missing_is_named(deployment: Deployment) -> None:
    with pytest.raises(ConfigurationError, match="no output Nonsense"):
        deployment.output("Nonsense")


def test_send_invokes_the_function_and_log_of_shows_it(cloud: LocalCloud, deployment: Deployment) -> None:
    since = datetime.now(UTC)

    cloud.send(deployment.schedules[0])

    assert eventually(lambda: cloud.log_of("index", since).handled == {"Said": 1})
    assert eventually(lambda: not any(backlog.messages for backlog in cloud.backlogs()))
    assert cloud.log_of("index", since).invocations == 1


def test_workers_see_only_the_runtimes_packages(target: Target, deployment: Deployment) -> None:
    answer = client("lambda", target).invoke(FunctionName=deployment.functions["index"], Payload=b"{}")

    payload = answer["Payload"].read().decode()
    assert '"boto3"' in payload
    assert not any(f'"{name}"' in payload for name in ("ministack", "pydantic", "httpx", "pytest"))


def test_run_ledger_and_verdict_are_read_from_the_stack(cloud: LocalCloud, target: Target) -> None:
    dynamodb = client("dynamodb", target)
    runs = DynamoRunStore(dynamodb, cloud.deployment.output("RunsTable"))
    runs.create(new_run(), by="coordinator_v2", at=WALL, outbox=())
    runs.create(new_run(f"{RUN_ID}-r1"), by="coordinator_v2", at=WALL, outbox=())
    DynamoLedger(dynamodb, cloud.deployment.output("LedgerTable")).record(entry_of(BOUGHT))
    verdict = Verdict(checked_at=WALL, as_of=DAY, quarantined={})
    bucket = cloud.deployment.output("BucketName")
    client("s3", target).put_object(Bucket=bucket, Key=VERDICT_KEY, Body=verdict.to_json().encode())

    run = cloud.run_on(DAY)
    assert run is not None
    assert run.run_id == RUN_ID
    assert cloud.run_states() == {DAY: RunState.EVALUATING}
    assert cloud.ledger_of(RUN_ID) == (entry_of(BOUGHT),)
    assert cloud.verdict() == verdict


def test_metrics_are_those_of_the_run(cloud: LocalCloud, target: Target) -> None:
    run = loaded(evaluating())
    assert not cloud.has_metrics(run)

    row = {"pk": {"S": "STRATEGY#ACCOUNT"}, "sk": {"S": DAY.isoformat()}, "run_id": {"S": RUN_ID}}
    client("dynamodb", target).put_item(TableName=cloud.deployment.output("PerformanceTable"), Item=row)

    assert cloud.has_metrics(run)
    assert not cloud.has_metrics(replace(run, run_id=f"{RUN_ID}-r1"))


def test_backlogs_say_when_a_message_returns(cloud: LocalCloud, target: Target, deployment: Deployment) -> None:
    [dead] = [queue for queue in deployment.queues.values() if queue.is_dead_letter]
    sqs, before = client("sqs", target), datetime.now(UTC)
    sent = sqs.send_message(QueueUrl=dead.url, MessageBody="unread")
    sqs.receive_message(QueueUrl=dead.url, VisibilityTimeout=60)

    [backlog] = [backlog for backlog in cloud.backlogs() if backlog.is_dead_letter]
    sqs.purge_queue(QueueUrl=dead.url)

    [message] = backlog.messages
    assert (message.message_id, message.receives) == (sent["MessageId"], 1)
    assert 58 <= (message.visible_at - before).total_seconds() <= 90


def test_books_of_a_day_are_the_latest_check_if_it_is_of_that_day(cloud: LocalCloud, target: Target) -> None:
    before = cloud.books_of(DAY)
    store = DynamoBooks(client("dynamodb", target), cloud.deployment.output("RunsTable"))

    assert store.put(books())
    assert (before, cloud.books_of(DAY), cloud.books_of(DAY - timedelta(days=1))) == (None, books(), None)


def test_decision_is_read_from_its_reference(cloud: LocalCloud, target: Target) -> None:
    bucket = cloud.deployment.output("BucketName")
    body = b'{"path": {"steps": []}}'
    client("s3", target).put_object(Bucket=bucket, Key="decisions/v1/run/calm.json", Body=body)

    assert cloud.decision(f"s3://{bucket}/decisions/v1/run/calm.json") == {"steps": []}
    assert cloud.decision(f"s3://{bucket}/decisions/v1/run/none.json") == {}


def test_mails_are_those_sent_since_a_moment(cloud: LocalCloud, target: Target) -> None:
    before = datetime.now(UTC)
    mail = client("sesv2", target)
    prepare_account(target, senders=["from@example.com"])
    body = {"Text": {"Data": "text"}, "Html": {"Data": "<p>html"}}
    mail.send_email(
        FromEmailAddress="from@example.com",
        Destination={"ToAddresses": ["to@example.com"]},
        Content={"Simple": {"Subject": {"Data": "subject"}, "Body": body}},
    )

    (sent,) = cloud.mails(before)
    assert (sent.sender, sent.recipients, sent.subject, sent.html) == (
        "from@example.com",
        ("to@example.com",),
        "subject",
        "<p>html",
    )
    assert cloud.mails(datetime.now(UTC)) == ()


def test_prepare_account_twice_keeps_the_secret(target: Target) -> None:
    secrets = client("secretsmanager", target)
    prepare_account(target)
    secrets.put_secret_value(SecretId=BROKER_SECRET, SecretString="another")
    prepare_account(target, senders=["from@example.com", "from@example.com"])

    assert secrets.get_secret_value(SecretId=BROKER_SECRET)["SecretString"] == "another"


def test_functions_get_no_variable_of_this_process(target: Target, deployment: Deployment) -> None:
    answer = client("lambda", target).invoke(FunctionName=deployment.functions["index"], Payload=b"{}")

    payload = answer["Payload"].read().decode()
    assert not any(
        f'"{name}"' in payload for name in os.environ if name.startswith(("PYTEST", "VIRTUAL", "ALCHEMISER"))
    )


@pytest.mark.parametrize(
    ("handler", "module"),
    [("the_alchemiser.data_v2.lambda_handler.lambda_handler", "data_v2"), ("index.handler", "index")],
)
def test_module_of_handler_is_its_package(handler: str, module: str) -> None:
    assert module_of(handler) == module
