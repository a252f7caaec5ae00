"""The Runs table: PK `RUN#<run_id>`; SK META, SIGNAL, PLAN, `STRATEGY#<name>`, `TRADE#<trade_id>`; GSI by date."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from the_alchemiser.shared import aws
from the_alchemiser.shared.dynamo import is_condition_failure, plain, put_if, typed
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import Message
from the_alchemiser.shared.run.runs import META, Move, NewRun, Run, RunItem, RunState, Transition

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BY_DATE = "by-date"


class DynamoRunStore:
    """RunStore on DynamoDB; grants: PutItem, UpdateItem, and Query on the table and its index (GetItem is not used)."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def create(self, run: NewRun, *, by: str, at: datetime, outbox: tuple[Message, ...]) -> bool:
        """Put META in EVALUATING, unless the run exists."""
        return self._put(run.run_id, META, _meta(run, by=by, at=at), outbox)

    def put_once(self, run_id: str, item: RunItem) -> bool:
        """Put an item, unless its sort key is taken."""
        return self._put(run_id, item.sk, {"body": json.dumps(item.body)}, item.outbox)

    def load(self, run_id: str) -> Run | None:
        """Return the run with all its items, strongly consistent; None when there is no such run."""
        rows = {row["sk"]: row for row in self._rows(run_id)}
        meta = rows.pop(META, None)
        return None if meta is None else _run(run_id, meta, {sk: _item(row) for sk, row in rows.items()})

    def move(self, run_id: str, move: Move) -> bool:
        """Move, if the run is still in the state that the move leaves."""
        names, values = _assignments(move)
        sets = ", ".join(f"#{name} = :{name}" for name in names)

        # The condition is what makes a move happen once: of two workers that see the same state, one wins, and the
        # other gets False and publishes nothing.
        try:
            self._client.update_item(
                TableName=self._table,
                Key=typed({"pk": _pk(run_id), "sk": META}),
                UpdateExpression=f"SET {sets}, timeline = list_append(timeline, :line)",
                ConditionExpression="#state = :leaving",
                ExpressionAttributeNames={f"#{name}": name for name in names},
                ExpressionAttributeValues=typed({f":{name}": value for name, value in values.items()}),
            )
        except aws.ClientError as error:
            return _false_if_lost(error)
        return True

    def mark_sent(self, run_id: str, sk: str = META, *, state: RunState | None = None) -> None:
        """Record that the outbox of META or of an item has been published, if the run is still in `state`."""
        values: dict[str, Any] = {":true": True}
        same_state: dict[str, Any] = {}
        if state is not None:
            # A run that has moved on has another outbox: marking that one as sent would lose its messages.
            values[":state"] = state.value
            same_state = {"ConditionExpression": "#state = :state", "ExpressionAttributeNames": {"#state": "state"}}

        try:
            self._client.update_item(
                TableName=self._table,
                Key=typed({"pk": _pk(run_id), "sk": sk}),
                UpdateExpression="SET sent = :true",
                ExpressionAttributeValues=typed(values),
                **same_state,
            )
        except aws.ClientError as error:
            _false_if_lost(error)

    def runs_on(self, trading_date: date) -> tuple[str, ...]:
        """Return the ids of the runs of a date, ascending; eventually consistent."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=BY_DATE,
            KeyConditionExpression="trading_date = :date",
            ExpressionAttributeValues=typed({":date": trading_date.isoformat()}),
        )
        return tuple(sorted(row["pk"].removeprefix("RUN#") for row in _plain_rows(pages)))

    def check(self) -> None:
        """Read a run that does not exist.

        Raises:
            ClientError, BotoCoreError: DynamoDB denied access, has no such table, or did not answer.
        """
        self.load("health-check")

    def check_index(self) -> None:
        """Read the runs of a date that has none.

        Raises:
            ClientError, BotoCoreError: DynamoDB denied access, has no such index, or did not answer.
        """
        self.runs_on(date.min)

    def _put(self, run_id: str, sk: str, values: Mapping[str, Any], messages: tuple[Message, ...]) -> bool:
        row = {"pk": _pk(run_id), "sk": sk, **values, "outbox": outbox.dump(messages), "sent": not messages}

        # Put only if missing: the first write of a fact is kept, and every later attempt reads that one.
        return put_if(self._client, self._table, row)

    def _rows(self, run_id: str) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=typed({":pk": _pk(run_id)}),
        )
        return _plain_rows(pages)


def _plain_rows(pages: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for page in pages:
        for item in page["Items"]:
            yield plain(item)


def _pk(run_id: str) -> str:
    return f"RUN#{run_id}"


def _false_if_lost(error: "aws.ClientError") -> bool:
    """Return False for a false condition, which is an answer; raise every other error."""
    if is_condition_failure(error):
        return False
    raise error


def _line(state: RunState, at: datetime, by: str) -> dict[str, str]:
    return {"state": state.value, "at": at.isoformat(), "by": by}


def _meta(run: NewRun, *, by: str, at: datetime) -> dict[str, Any]:
    return {
        "stage": run.stage,
        "trading_date": run.trading_date.isoformat(),
        "as_of": run.as_of.isoformat(),
        "allocations": {strategy: str(allocation) for strategy, allocation in run.allocations.items()},
        "state": RunState.EVALUATING.value,
        "deadline_at": int(run.deadline_at.timestamp()),
        "timeline": [_line(RunState.EVALUATING, at, by)],
    }


def _assignments(move: Move) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return the names of the attributes that the move sets, and every value that its expressions need."""
    payload_name = f"at_{move.entering.value}"
    assignments: dict[str, Any] = {
        "state": move.entering.value,
        "deadline_at": int(move.deadline_at.timestamp()),
        "outbox": outbox.dump(move.outbox),
        "sent": not move.outbox,
        payload_name: json.dumps(move.payload or {}),
    }
    line = [_line(move.entering, move.at, move.by)]
    return tuple(assignments), {**assignments, "leaving": move.leaving.value, "line": line}


def _item(row: Mapping[str, Any]) -> RunItem:
    return RunItem(row["sk"], json.loads(row["body"]), outbox.load(row["outbox"]), row["sent"])


def _run(run_id: str, meta: Mapping[str, Any], items: Mapping[str, RunItem]) -> Run:
    return Run(
        run_id=run_id,
        stage=meta["stage"],
        trading_date=date.fromisoformat(meta["trading_date"]),
        as_of=date.fromisoformat(meta["as_of"]),
        state=RunState(meta["state"]),
        allocations={strategy: Decimal(text) for strategy, text in meta["allocations"].items()},
        deadline_at=datetime.fromtimestamp(int(meta["deadline_at"]), UTC),
        timeline=tuple(
            Transition(RunState(line["state"]), datetime.fromisoformat(line["at"]), line["by"])
            for line in meta["timeline"]
        ),
        payloads={state: json.loads(meta[f"at_{state}"]) for state in RunState if f"at_{state}" in meta},
        outbox=outbox.load(meta["outbox"]),
        sent=meta["sent"],
        items=items,
    )
