"""The Runs table: a run has PK `RUN#<run_id>`, a trading day has PK `DAY#<stage>-<date>`; an index by date lists runs.

The sort keys of a run are META, SIGNAL, PLAN, SETTLEMENT, `STRATEGY#<name>` and `TRADE#<trade_id>`. A day has only
META, which names the run that has the day; without a `trading_date`, it is not in the index.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from the_alchemiser.shared import aws
from the_alchemiser.shared.dynamo import is_condition_failure, plain, put_if, typed
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import Message
from the_alchemiser.shared.run.runs import META, Move, NewRun, Run, RunItem, RunState, Transition, day_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

BY_DATE = "by-date"
_FINAL_STATES = {f":{state.lower()}": state.value for state in RunState if state.is_final}
_IS_FINAL = f"#state IN ({', '.join(_FINAL_STATES)})"


class DynamoRunStore:
    """RunStore on DynamoDB.

    Grants on the table: Query to load and `check`, GetItem for `state_of`, PutItem and UpdateItem to write, and for
    `create` ConditionCheckItem too; Query on the index for `runs_on`.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def create(
        self, run: NewRun, *, by: str, at: datetime, outbox: tuple[Message, ...], replaces: str | None = None
    ) -> bool:
        """Put META in EVALUATING and take the day, unless the run exists or another run has the day."""
        row = _row(run.run_id, META, _meta(run, by=by, at=at), outbox)
        # One transaction: a day is never taken by a run that does not exist, and a run never exists without its day.
        writes = [self._put_new(row), self._take_day(run, replaces)]
        if replaces is not None:
            writes.append(self._require_settled(replaces))

        try:
            self._client.transact_write_items(TransactItems=writes)
        except aws.ClientError as error:
            if not _is_canceled_by_a_condition(error):
                raise
            # When only the answer of this very attempt was lost, the SDK's second try finds its own run.
            stored = self.load(run.run_id)
            return stored is not None and stored.timeline[0] == Transition(RunState.EVALUATING, at, by)
        return True

    def state_of(self, run_id: str) -> RunState | None:
        """Return the run's state, strongly consistent; None for a run that does not exist."""
        answer = self._client.get_item(
            TableName=self._table,
            Key=typed({"pk": _pk(run_id), "sk": META}),
            ConsistentRead=True,
            ProjectionExpression="#state",
            ExpressionAttributeNames={"#state": "state"},
        )
        return RunState(plain(answer["Item"])["state"]) if "Item" in answer else None

    def put_once(self, run_id: str, item: RunItem) -> bool:
        """Put an item, unless its sort key is taken."""
        # Put only if missing: the first write of a fact is kept, and every later attempt reads that one.
        return put_if(self._client, self._table, _row(run_id, item.sk, {"body": json.dumps(item.body)}, item.outbox))

    def load(self, run_id: str) -> Run | None:
        """Return the run with all its items, strongly consistent; None for a run that does not exist."""
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
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except aws.ClientError as error:
            if not is_condition_failure(error):
                raise
            # When only the answer of this very attempt was lost, the SDK's second try finds its own move.
            return _last_line(error) == _line(move.entering, move.at, move.by)
        return True

    def mark_settled(self, run_id: str) -> None:
        """Record that every order of the run is final and every fill is in the ledger; ignored unless it has ended."""
        self._set_flag("settled", run_id, META, condition=_IS_FINAL, states=_FINAL_STATES)

    def mark_sent(self, run_id: str, sk: str = META, *, state: RunState | None = None) -> None:
        """Record that the outbox of META or of an item has been published, if the run is still in `state`."""
        if state is None:
            self._set_flag("sent", run_id, sk)
        else:
            # A run that has moved on has another outbox: marking that one as sent would lose its messages.
            self._set_flag("sent", run_id, sk, condition="#state = :state", states={":state": state.value})

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

    def _set_flag(
        self, flag: str, run_id: str, sk: str, *, condition: str = "", states: Mapping[str, str] | None = None
    ) -> None:
        """Set a flag of a row, if the condition on its state holds: a false one is an answer, not an error."""
        conditional: dict[str, Any] = {}
        if condition:
            conditional = {"ConditionExpression": condition, "ExpressionAttributeNames": {"#state": "state"}}
        try:
            self._client.update_item(
                TableName=self._table,
                Key=typed({"pk": _pk(run_id), "sk": sk}),
                UpdateExpression=f"SET {flag} = :true",
                ExpressionAttributeValues=typed({":true": True, **(states or {})}),
                **conditional,
            )
        except aws.ClientError as error:
            if not is_condition_failure(error):
                raise

    def _put_new(self, row: Mapping[str, Any]) -> "TransactWriteItemTypeDef":
        return {
            "Put": {"TableName": self._table, "Item": typed(row), "ConditionExpression": "attribute_not_exists(pk)"}
        }

    def _take_day(self, run: NewRun, replaces: str | None) -> "TransactWriteItemTypeDef":
        row = {"pk": f"DAY#{day_of(run.stage, run.trading_date)}", "sk": META, "run_id": run.run_id}
        if replaces is None:
            return self._put_new(row)
        return {
            "Put": {
                "TableName": self._table,
                "Item": typed(row),
                # Earlier releases did not write this item: it is missing for a day whose runs they created.
                "ConditionExpression": "attribute_not_exists(pk) OR run_id = :replaces",
                "ExpressionAttributeValues": typed({":replaces": replaces}),
            }
        }

    def _require_settled(self, run_id: str) -> "TransactWriteItemTypeDef":
        return {
            "ConditionCheck": {
                "TableName": self._table,
                "Key": typed({"pk": _pk(run_id), "sk": META}),
                "ConditionExpression": f"{_IS_FINAL} AND settled = :true",
                "ExpressionAttributeNames": {"#state": "state"},
                "ExpressionAttributeValues": typed(_FINAL_STATES | {":true": True}),
            }
        }

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


def _row(run_id: str, sk: str, values: Mapping[str, Any], messages: tuple[Message, ...]) -> dict[str, Any]:
    return {"pk": _pk(run_id), "sk": sk, **values, "outbox": outbox.dump(messages), "sent": not messages}


def _is_canceled_by_a_condition(error: "aws.ClientError") -> bool:
    """Return whether a transaction was canceled because a condition is false, not by a conflict, which may pass."""
    answer: Mapping[str, Any] = error.response
    return any(reason["Code"] == "ConditionalCheckFailed" for reason in answer.get("CancellationReasons", ()))


def _last_line(error: "aws.ClientError") -> dict[str, str] | None:
    """Return the last line of the timeline that a false condition came with; None when it came without the item."""
    answer: Mapping[str, Any] = error.response
    return plain(answer["Item"])["timeline"][-1] if "Item" in answer else None


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
        settled=meta.get("settled", False),
    )
