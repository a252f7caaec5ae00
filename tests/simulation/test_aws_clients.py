"""The simulated clients answer as boto3's do: conditions of S3, partly accepted events, the errors of each fault."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.simulation.aws_clients import Account, aws_port
from tests.simulation.deployment import read_deployment
from tests.simulation.dynamo_tables import Tables
from tests.simulation.fault_draws import FaultDraws
from tests.simulation.scenario import CALL_FAULTS, FaultKind, FaultPlan
from tests.simulation.world import World
from tests.the_alchemiser.shared.market_data.object_store_contract import ObjectStoreContract
from the_alchemiser.shared.market_data.objects import ObjectStore, S3Objects

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = datetime(2022, 6, 15, 19, 45, tzinfo=UTC)
SWITCH = "/alchemiser/dev/trading"
EVENT = {"Source": "alchemiser.trading", "DetailType": "RunFailed", "Detail": '{"message_id": "m", "run_id": "r"}'}
ANSWERED = {FaultKind.FAIL_BEFORE, FaultKind.FAIL_AFTER, FaultKind.TIMEOUT_BEFORE, FaultKind.THROTTLE}


class Accepted:
    """An account that records what it delivers and sends."""

    def __init__(self) -> None:
        self.world = World(NOW, FaultDraws(1, FaultPlan()), {})
        self.events: list[Mapping[str, Any]] = []
        self.sent: list[tuple[str, ...]] = []
        tables = Tables(self.world, read_deployment().tables, lambda *_: None)
        self.account = Account(self.world, tables, SWITCH, self.events.append, lambda *sent: self.sent.append(sent))

    def client(self, service: str) -> Any:
        return self.account.client(service)


@pytest.fixture
def accepted() -> Accepted:
    return Accepted()


class TestObjects(ObjectStoreContract):
    @pytest.fixture
    def store(self) -> ObjectStore:
        return S3Objects(Accepted().client("s3"), "Lake")


def code_of(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return str(caught.value.response["Error"]["Code"])


def test_put_events_delivers_and_records_each_entry(accepted: Accepted) -> None:
    answer = accepted.client("events").put_events(Entries=[EVENT, EVENT])

    assert answer["FailedEntryCount"] == 0
    assert [event["detail-type"] for event in accepted.events] == ["RunFailed"] * 2
    assert [(message.message_id, message.at) for message in accepted.account.published] == [("m", NOW)] * 2


def test_put_events_takes_256_kb_per_call(accepted: Accepted) -> None:
    euros = EVENT["Detail"].replace('"r"', f'"{"\N{EURO SIGN}" * 43_000}"')
    missing = 2 * 131_072 - 2 * len(euros.encode())
    full, over = ({**EVENT, "Detail": euros + " " * (missing + extra)} for extra in (0, 1))
    events = accepted.client("events")

    assert events.put_events(Entries=[full, {**EVENT, "Detail": euros}])["FailedEntryCount"] == 0
    assert code_of(events.put_events, Entries=[over, {**EVENT, "Detail": euros}]) == "ValidationException"
    assert len(accepted.events) == 2


def test_put_events_of_a_throttled_bus_takes_the_first_half(accepted: Accepted) -> None:
    accepted.world.is_partial = True

    answer = accepted.client("events").put_events(Entries=[EVENT] * 3)

    assert (answer["FailedEntryCount"], len(accepted.events)) == (2, 1)


TRADE = '{"detail-type": "TradeRequested", "detail": {"message_id": "m", "run_id": "r"}}'


def trade(number: int) -> dict[str, str]:
    return {
        "Id": f"{number}",
        "MessageBody": TRADE,
        "MessageGroupId": f"g{number}",
        "MessageDeduplicationId": f"d{number}",
    }


def test_send_message_batch_keeps_group_and_deduplication(accepted: Accepted) -> None:
    answer = accepted.client("sqs").send_message_batch(
        QueueUrl="https://sqs.simulated/TradeInbox", Entries=[trade(1), trade(2)]
    )

    assert accepted.sent == [("TradeInbox", TRADE, "g1", "d1"), ("TradeInbox", TRADE, "g2", "d2")]
    assert [message.detail_type for message in accepted.account.trades] == ["TradeRequested"] * 2
    assert [entry["Id"] for entry in answer["Successful"]] == ["1", "2"]
    assert "Failed" not in answer


def test_send_message_batch_of_a_throttled_queue_takes_the_first_half(accepted: Accepted) -> None:
    accepted.world.is_partial = True

    answer = accepted.client("sqs").send_message_batch(
        QueueUrl="https://sqs.simulated/TradeInbox", Entries=[trade(1), trade(2), trade(3)]
    )

    assert [group for _, _, group, _ in accepted.sent] == ["g1"]
    assert answer["Failed"] == [{"Id": "2"}, {"Id": "3"}]


def test_get_parameter_returns_the_switch_as_it_is_now(accepted: Accepted) -> None:
    ssm = accepted.client("ssm")
    assert code_of(ssm.get_parameter, Name=SWITCH) == "ParameterNotFound"

    for text in ("enabled", "paused"):
        accepted.account.set_switch(text)
        assert ssm.get_parameter(Name=SWITCH)["Parameter"]["Value"] == text

    assert code_of(ssm.get_parameter, Name="/another") == "ParameterNotFound"


def test_put_object_compares_versions(accepted: Accepted) -> None:
    s3 = accepted.client("s3")
    request: Any = {"Bucket": "Lake", "Key": "k", "Body": b"1", "ContentType": "t", "Metadata": {}}

    assert code_of(s3.put_object, **request, IfMatch='"0"') == "NoSuchKey"
    etag = s3.put_object(**request, IfNoneMatch="*")["ETag"]

    assert code_of(s3.put_object, **request, IfNoneMatch="*") == "PreconditionFailed"
    assert code_of(s3.put_object, **request, IfMatch='"0"') == "PreconditionFailed"
    assert s3.put_object(**request, IfMatch=etag)["ETag"] == etag
    assert s3.get_object(Bucket="Lake", Key="k")["Body"].read() == b"1"


def test_mail_message_and_figures_are_recorded_with_their_time(accepted: Accepted) -> None:
    body = {"Text": {"Data": "text"}, "Html": {"Data": "html"}}
    content = {"Simple": {"Subject": {"Data": "subject"}, "Body": body}}

    accepted.client("sesv2").send_email(FromEmailAddress="a", Destination={}, Content=content)
    accepted.client("sns").publish(TopicArn="t", Subject="short", Message="message")
    accepted.client("cloudwatch").put_metric_data(Namespace="n", MetricData=[{"MetricName": "Cash", "Value": 2.0}])

    account = accepted.account
    assert [(mail.at, mail.subject, mail.text) for mail in account.mails] == [(NOW, "subject", "text")]
    assert [(notice.subject, notice.text) for notice in account.notices] == [("short", "message")]
    assert [(gauge.name, gauge.value) for gauge in account.gauges] == [("Cash", 2.0)]


@pytest.mark.parametrize("service", ["dynamodb", "events", "s3", "sesv2", "sns", "sqs", "ssm"])
def test_every_fault_raises_an_error_of_the_sdk(service: str) -> None:
    port = aws_port(service, attempts=2)

    errors = {kind: port.error("operation", kind) for kind in CALL_FAULTS}

    assert all(isinstance(error, ClientError | BotoCoreError) for error in errors.values())
    assert (port.attempts, port.is_partial) == (2, service in {"events", "sqs"})
    assert len({repr(errors[kind]) for kind in ANSWERED}) == len(ANSWERED)


def test_throttled_transaction_is_cancelled_without_a_false_condition() -> None:
    error: Any = aws_port("dynamodb", attempts=1).error("transact_write_items", FaultKind.THROTTLE)

    assert error.response["Error"]["Code"] == "TransactionCanceledException"
    assert [reason["Code"] for reason in error.response["CancellationReasons"]] == ["TransactionConflict"]
