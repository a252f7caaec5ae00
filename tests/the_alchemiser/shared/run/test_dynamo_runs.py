"""What the Runs table answers when a write is refused; tests/e2e runs the whole contract over a table."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from tests.the_alchemiser.contracts import NOW, create, new_run, to_aggregated
from the_alchemiser.shared.dynamo import plain, typed
from the_alchemiser.shared.run import runs
from the_alchemiser.shared.run.dynamo_runs import DynamoRunStore
from the_alchemiser.shared.run.runs import RunState

RUN_ID = "local-2022-03-16"
LINE = {"state": "EVALUATING", "at": NOW.isoformat(), "by": "coordinator_v2"}
META = {
    "pk": f"RUN#{RUN_ID}",
    "sk": "META",
    "stage": "local",
    "trading_date": "2022-03-16",
    "as_of": "2022-03-15",
    "allocations": {"trend": "1"},
    "state": "EVALUATING",
    "deadline_at": 1,
    "timeline": [LINE],
    "outbox": "[]",
    "sent": True,
}
KEY = {"pk": {"S": f"RUN#{RUN_ID}"}, "sk": {"S": "META"}}


@pytest.fixture
def table() -> Stubber:
    client = boto3.client("dynamodb", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    return Stubber(client)


def store_on(table: Stubber) -> DynamoRunStore:
    table.activate()
    return DynamoRunStore(cast("Any", table.client), "runs")


def cancel_transaction(table: Stubber, *codes: str) -> None:
    table.add_client_error(
        "transact_write_items",
        "TransactionCanceledException",
        modeled_fields={"CancellationReasons": [{"Code": code} for code in codes]},
    )


def answer_query(table: Stubber, *rows: Mapping[str, Any]) -> None:
    table.add_response("query", {"Items": [typed(row) for row in rows]})


def requests_of(table: Stubber) -> list[tuple[str, dict[str, Any]]]:
    """Write down the parameters of every request from here on."""
    requests: list[tuple[str, dict[str, Any]]] = []

    def write_down(params: dict[str, Any], model: Any, **_: Any) -> None:
        requests.append((model.name, params))

    table.client.meta.events.register("provide-client-params.dynamodb", write_down)
    return requests


def test_create_puts_the_run_and_takes_the_free_day_at_once(table: Stubber) -> None:
    requests = requests_of(table)
    table.add_response("transact_write_items", {})

    assert create(store_on(table), RUN_ID)

    [(_, request)] = requests
    run, day = [item["Put"] for item in request["TransactItems"]]
    assert plain(run["Item"])["pk"] == f"RUN#{RUN_ID}"
    assert plain(run["Item"])["timeline"] == [LINE]
    assert plain(day["Item"]) == {"pk": f"DAY#{RUN_ID}", "sk": "META", "run_id": RUN_ID}
    assert [put["ConditionExpression"] for put in (run, day)] == ["attribute_not_exists(pk)"] * 2
    assert {put["TableName"] for put in (run, day)} == {"runs"}


def test_create_that_replaces_checks_the_replaced_run_in_the_same_transaction(table: Stubber) -> None:
    requests = requests_of(table)
    table.add_response("transact_write_items", {})

    assert create(store_on(table), f"{RUN_ID}-r1", replaces=RUN_ID)

    [(_, request)] = requests
    [_, day, replaced] = request["TransactItems"]
    assert day["Put"]["ConditionExpression"] == "attribute_not_exists(pk) OR run_id = :replaces"
    assert plain(day["Put"]["Item"]) == {"pk": f"DAY#{RUN_ID}", "sk": "META", "run_id": f"{RUN_ID}-r1"}
    assert plain(day["Put"]["ExpressionAttributeValues"]) == {":replaces": RUN_ID}
    assert replaced["ConditionCheck"] == {
        "TableName": "runs",
        "Key": KEY,
        "ConditionExpression": "#state IN (:completed, :failed) AND settled = :true",
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": typed({":completed": "COMPLETED", ":failed": "FAILED", ":true": True}),
    }


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({}, True),
        ({"by": "another"}, False),
        ({"at": (NOW + timedelta(microseconds=1)).isoformat()}, False),
    ],
    ids=["its own run", "of another module", "of another attempt"],
)
@pytest.mark.parametrize("codes", [("ConditionalCheckFailed", "None"), ("None", "ConditionalCheckFailed")])
def test_create_canceled_by_a_condition_reads_whose_run_it_is(
    table: Stubber, codes: tuple[str, ...], line: dict[str, str], *, expected: bool
) -> None:
    cancel_transaction(table, *codes)
    answer_query(table, META | {"timeline": [LINE | line]})

    assert create(store_on(table), RUN_ID) is expected


def test_create_whose_own_run_has_moved_on_since_is_true(table: Stubber) -> None:
    cancel_transaction(table, "ConditionalCheckFailed", "ConditionalCheckFailed")
    answer_query(table, META | {"timeline": [LINE, LINE | {"state": "FAILED"}], "state": "FAILED"})

    assert create(store_on(table), RUN_ID)


def test_create_on_a_taken_day_is_false(table: Stubber) -> None:
    cancel_transaction(table, "None", "ConditionalCheckFailed")
    answer_query(table)

    assert not create(store_on(table), RUN_ID)


@pytest.mark.parametrize("codes", [("TransactionConflict", "None"), ("ThrottlingError", "TransactionConflict")])
def test_create_canceled_by_a_conflict_is_raised(table: Stubber, codes: tuple[str, ...]) -> None:
    cancel_transaction(table, *codes)

    with pytest.raises(ClientError):
        create(store_on(table), RUN_ID)


def test_create_refused_for_another_reason_is_raised(table: Stubber) -> None:
    table.add_client_error("transact_write_items", "AccessDeniedException")

    with pytest.raises(ClientError):
        create(store_on(table), RUN_ID)


def test_create_takes_the_day_of_the_runs_own_date_and_stage(table: Stubber) -> None:
    requests = requests_of(table)
    table.add_response("transact_write_items", {})

    store_on(table).create(new_run(RUN_ID).changed(stage="prod"), by="a test", at=NOW, outbox=())

    [(_, request)] = requests
    assert request["TransactItems"][1]["Put"]["Item"]["pk"] == {"S": "DAY#prod-2022-03-16"}


def refuse_move(table: Stubber, item: Mapping[str, Any] | None) -> None:
    fields = {} if item is None else {"Item": typed(item)}
    table.add_client_error("update_item", "ConditionalCheckFailedException", modeled_fields=fields)


AGGREGATED = {"state": "AGGREGATED", "at": NOW.isoformat(), "by": "aggregator_v2"}


@pytest.mark.parametrize(
    ("timeline", "expected"),
    [
        ([LINE, AGGREGATED], True),
        ([LINE, AGGREGATED | {"by": "another"}], False),
        ([LINE, AGGREGATED, AGGREGATED | {"state": "PLANNED"}], False),
    ],
    ids=["its own move", "of another worker", "moved on since"],
)
def test_move_refused_by_its_condition_reads_whose_move_it_is(
    table: Stubber, timeline: list[dict[str, str]], *, expected: bool
) -> None:
    refuse_move(table, META | {"timeline": timeline})

    assert store_on(table).move(RUN_ID, to_aggregated(RUN_ID)) is expected


def test_move_of_an_unknown_run_is_false(table: Stubber) -> None:
    refuse_move(table, None)

    assert not store_on(table).move(RUN_ID, to_aggregated(RUN_ID))


def test_move_asks_for_the_item_when_its_condition_is_false(table: Stubber) -> None:
    requests = requests_of(table)
    table.add_response("update_item", {})

    assert store_on(table).move(RUN_ID, to_aggregated(RUN_ID))

    assert requests[0][1]["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
    assert requests[0][1]["ConditionExpression"] == "#state = :leaving"


@pytest.mark.parametrize("write", ["move", "mark_settled", "mark_sent"])
def test_write_refused_for_another_reason_is_raised(table: Stubber, write: str) -> None:
    table.add_client_error("update_item", "AccessDeniedException")
    store = store_on(table)
    arguments = (RUN_ID, to_aggregated(RUN_ID)) if write == "move" else (RUN_ID,)

    with pytest.raises(ClientError):
        getattr(store, write)(*arguments)


def test_items_keep_the_sort_keys_that_earlier_releases_wrote() -> None:
    names = (runs.META, runs.SIGNAL, runs.PLAN, runs.STRATEGY, runs.TRADE, runs.SETTLEMENT)

    assert names == ("META", "SIGNAL", "PLAN", "STRATEGY", "TRADE", "SETTLEMENT")


def test_checks_read_the_table_and_its_index(table: Stubber) -> None:
    requests = requests_of(table)
    answer_query(table)
    answer_query(table)
    store = store_on(table)

    store.check()
    store.check_index()

    assert [(name, request.get("IndexName")) for name, request in requests] == [("Query", None), ("Query", "by-date")]
    assert [request.get("ConsistentRead") for _, request in requests] == [True, None]


def test_state_of_reads_one_attribute_consistently(table: Stubber) -> None:
    requests = requests_of(table)
    table.add_response("get_item", {"Item": {"state": {"S": "BUYING"}}})

    assert store_on(table).state_of(RUN_ID) is RunState.BUYING

    assert requests == [
        (
            "GetItem",
            {
                "TableName": "runs",
                "Key": KEY,
                "ConsistentRead": True,
                "ProjectionExpression": "#state",
                "ExpressionAttributeNames": {"#state": "state"},
            },
        )
    ]
