"""Queries of DynamoDB: order, conditions on keys, and indexes, the same on both sides."""

from typing import Any

from tests.fidelity.backend import DynamoSide, answered, refused
from tests.fidelity.table_contract import INVALID, KEY, ROW, TableContract

DATE = "2022-06-15"


class QueryContract(TableContract):
    """A subclass says on which side it runs."""

    def test_query_returns_a_partition_by_sort_key(self, client: Any, runs: str) -> None:
        for name in ("TRADE#b", "TRADE#a", "PLAN"):
            client.put_item(TableName=runs, Item={**KEY, "sk": {"S": name}})
        client.put_item(TableName=runs, Item={**KEY, "pk": {"S": "RUN#2"}})

        answer = client.query(
            TableName=runs,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": KEY["pk"]},
        )

        assert [row["sk"]["S"] for row in answer["Items"]] == ["META", "PLAN", "TRADE#a", "TRADE#b"]
        assert (answer["Count"], answer["ScannedCount"]) == (4, 4)
        assert "LastEvaluatedKey" not in answer

    def test_query_backwards_with_a_limit_returns_the_last_one(self, client: Any, runs: str) -> None:
        for name in ("CHECK#1", "CHECK#2"):
            client.put_item(TableName=runs, Item={**KEY, "pk": {"S": "BOOKS"}, "sk": {"S": name}})

        answer = client.query(
            TableName=runs,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": "BOOKS"}},
            ScanIndexForward=False,
            Limit=1,
        )

        assert [row["sk"]["S"] for row in answer["Items"]] == ["CHECK#2"]
        assert (answer["Count"], answer["ScannedCount"]) == (1, 1)

    def test_query_compares_the_start_of_the_sort_key(self, client: Any, runs: str) -> None:
        for name in ("TRADE#b", "TRADE#a"):
            client.put_item(TableName=runs, Item={**KEY, "sk": {"S": name}})

        pages = client.get_paginator("query").paginate(
            TableName=runs,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :start)",
            ExpressionAttributeValues={":pk": KEY["pk"], ":start": {"S": "TRADE#"}},
        )

        assert [[row["sk"]["S"] for row in page["Items"]] for page in pages] == [["TRADE#a", "TRADE#b"]]

    def test_query_between_two_sort_keys_includes_both(self, client: Any, runs: str) -> None:
        for name in ("2022-06-14", "2022-06-15", "2022-06-16", "LATEST"):
            client.put_item(TableName=runs, Item={**KEY, "pk": {"S": "ROWS"}, "sk": {"S": name}})

        def found(condition: str, **values: str) -> list[str]:
            typed = {f":{name}": {"S": value} for name, value in values.items()}
            answer = client.query(
                TableName=runs,
                ConsistentRead=True,
                KeyConditionExpression=f"pk = :pk AND {condition}",
                ExpressionAttributeValues={":pk": {"S": "ROWS"}, **typed},
            )
            return [row["sk"]["S"] for row in answer["Items"]]

        between = "sk BETWEEN :first AND :last"
        assert found(between, first="2022-06-15", last="9999-12-31") == ["2022-06-15", "2022-06-16"]
        assert found(between, first="0001-01-01", last="2022-06-15") == ["2022-06-14", "2022-06-15"]
        assert found("sk < :day", day="2022-06-15") == ["2022-06-14"]

    def test_query_of_an_empty_partition_returns_an_empty_page(self, client: Any, runs: str) -> None:
        answer = client.query(
            TableName=runs, KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": "RUN#9"}}
        )

        assert answered(answer) == {"Items": [], "Count": 0, "ScannedCount": 0}

    def test_query_of_an_index_returns_its_keys_only(self, client: Any, runs: str) -> None:
        client.put_item(TableName=runs, Item={**ROW, "trading_date": {"S": DATE}})
        client.put_item(TableName=runs, Item={**ROW, "pk": {"S": "RUN#0"}, "trading_date": {"S": DATE}})

        answer = client.query(**by_date(runs))

        assert answer["Items"] == [
            {"pk": {"S": "RUN#0"}, "sk": {"S": "META"}, "trading_date": {"S": DATE}},
            {**KEY, "trading_date": {"S": DATE}},
        ]

    def test_query_of_an_index_returns_whole_items_if_it_has_them(self, client: Any, dynamo: DynamoSide) -> None:
        ledger = dynamo.table("Ledger")
        row = {"pk": {"S": "SYMBOL#SPY"}, "sk": {"S": "1#1"}, "run_id": {"S": "r"}, "price": {"N": "1.5"}}
        client.put_item(TableName=ledger, Item=row)

        answer = client.query(
            TableName=ledger,
            IndexName="by-run",
            KeyConditionExpression="run_id = :run",
            ExpressionAttributeValues={":run": {"S": "r"}},
        )

        assert answer["Items"] == [row]

    def test_query_of_an_index_cannot_be_consistent(self, client: Any, runs: str) -> None:
        assert refused(client.query, **by_date(runs), ConsistentRead=True).code == INVALID

    def test_query_of_an_unknown_index_is_invalid(self, client: Any, runs: str) -> None:
        assert refused(client.query, **{**by_date(runs), "IndexName": "by-hour"}).code == INVALID


def by_date(table: str) -> dict[str, Any]:
    """Return a query of the index by date."""
    return {
        "TableName": table,
        "IndexName": "by-date",
        "KeyConditionExpression": "trading_date = :date",
        "ExpressionAttributeValues": {":date": {"S": DATE}},
    }
