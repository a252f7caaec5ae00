"""The table keeps the ledger's contract; rows with the keys of earlier releases are read and never repeated."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, cast

import pytest

from tests.the_alchemiser.contracts import LedgerContract
from the_alchemiser.shared import aws
from the_alchemiser.shared.dynamo import plain, typed
from the_alchemiser.shared.ledger.dynamo_ledger import DynamoLedger
from the_alchemiser.shared.ledger.ledger import LedgerEntry


class LedgerTable:
    """DynamoDB with one table, as far as the ledger uses it: conditional puts, and queries of two rows a page."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], dict[str, Any]] = {}
        self.queries: list[Mapping[str, Any]] = []

    def put_item(self, *, TableName: str, Item: Mapping[str, Any], ConditionExpression: str) -> None:  # noqa: N803
        assert (TableName, ConditionExpression) == ("ledger", "attribute_not_exists(pk)")
        row = plain(Item)
        key = (row["pk"], row["sk"])
        if key in self.rows:
            raise aws.ClientError({"Error": {"Code": "ConditionalCheckFailedException"}}, "PutItem")
        self.rows[key] = row

    def get_paginator(self, operation: str) -> "LedgerTable":
        assert operation == "query"
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        self.queries.append(request)
        assert request["TableName"] == "ledger"
        values = plain(request["ExpressionAttributeValues"])
        matches = [row for _, row in sorted(self.rows.items()) if _is_asked_for(row, request, values)]
        for first in range(0, max(len(matches), 1), 2):
            yield {"Items": [typed(row) for row in matches[first : first + 2]]}


def _is_asked_for(row: Mapping[str, Any], request: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    match request["KeyConditionExpression"]:
        case "pk = :key":
            return bool(row["pk"] == values[":key"])
        case "pk = :key AND begins_with(sk, :day)":
            return bool(row["pk"] == values[":key"] and row["sk"].startswith(values[":day"]))
        case "run_id = :key":
            assert request["IndexName"] == "by-run"
            return bool(row["run_id"] == values[":key"])
        case condition:
            raise AssertionError(condition)


def ledger_on(table: LedgerTable) -> DynamoLedger:
    return DynamoLedger(cast("Any", table), "ledger")


def with_earlier_key(table: LedgerTable, entry: LedgerEntry) -> None:
    """Store the entry as an earlier release did."""
    written = LedgerTable()
    ledger_on(written).record(entry)
    ((pk, sk),) = written.rows
    earlier = f"{entry.filled_at.isoformat()}#{sk}"
    table.rows[pk, earlier] = {**written.rows[pk, sk], "sk": earlier}


class TestDynamoLedger(LedgerContract):
    @pytest.fixture
    def table(self) -> LedgerTable:
        return LedgerTable()

    @pytest.fixture
    def ledger(self, table: LedgerTable) -> DynamoLedger:
        return ledger_on(table)

    def test_record_uses_order_and_fill_as_the_key(self, ledger: DynamoLedger, table: LedgerTable) -> None:
        ledger.record(self.entry("SPY"))

        assert list(table.rows) == [("SYMBOL#SPY", "o1#1")]

    def test_record_of_an_entry_with_an_earlier_key_changes_nothing(
        self, ledger: DynamoLedger, table: LedgerTable
    ) -> None:
        entry = self.entry("SPY")
        with_earlier_key(table, entry)

        assert not ledger.record(entry.changed(filled_at=entry.filled_at + timedelta(minutes=7)))
        assert ledger.entries_of("SPY") == (entry,)
        assert len(table.rows) == 1

    @pytest.mark.parametrize(("symbol", "order", "fill"), [("SPY", "o2", "1"), ("SPY", "o1", "2"), ("TLT", "o1", "1")])
    def test_record_of_another_fill_beside_an_earlier_key_is_entered(
        self, ledger: DynamoLedger, table: LedgerTable, symbol: str, order: str, fill: str
    ) -> None:
        with_earlier_key(table, self.entry("SPY"))

        assert ledger.record(self.entry(symbol, order=order).changed(fill=fill))
        assert len(table.rows) == 2

    def test_record_reads_only_earlier_keys_of_the_day(self, ledger: DynamoLedger, table: LedgerTable) -> None:
        ledger.record(self.entry("SPY"))

        (query,) = table.queries
        assert plain(query["ExpressionAttributeValues"]) == {":key": "SYMBOL#SPY", ":day": "2022-03-16T"}
        assert query["ConsistentRead"] is True

    def test_entries_under_both_keys_are_one(self, ledger: DynamoLedger, table: LedgerTable) -> None:
        entry = self.entry("SPY")
        ledger.record(entry)
        with_earlier_key(table, entry.changed(filled_at=entry.filled_at + timedelta(minutes=7)))

        assert [read.order_id for read in ledger.entries_of("SPY")] == ["o1"]
        assert [read.order_id for read in ledger.entries_of_run("run-SPY")] == ["o1"]

    def test_entries_of_all_pages_are_read_consistently(self, ledger: DynamoLedger, table: LedgerTable) -> None:
        for order in ("a", "b", "c", "d", "e"):
            ledger.record(self.entry("SPY", order=order))

        assert [entry.order_id for entry in ledger.entries_of("SPY")] == ["a", "b", "c", "d", "e"]
        assert table.queries[-1]["ConsistentRead"] is True
        assert len(ledger.entries_of_run("run-SPY")) == 5
        assert "ConsistentRead" not in table.queries[-1]

    def test_check_reads_a_symbol_that_does_not_exist(self, ledger: DynamoLedger, table: LedgerTable) -> None:
        ledger.check()

        (query,) = table.queries
        assert plain(query["ExpressionAttributeValues"]) == {":key": "SYMBOL#health-check"}
