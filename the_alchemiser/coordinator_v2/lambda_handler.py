"""StrategyOrchestratorFunction: the inbox of the schedules, and of people."""

import os
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from the_alchemiser.coordinator_v2.books import BooksChecker
from the_alchemiser.coordinator_v2.service import MODULE, Coordinator
from the_alchemiser.coordinator_v2.settling import OrderSettler
from the_alchemiser.shared import aws, wall_clock
from the_alchemiser.shared.books.dynamo_books import DynamoBooks
from the_alchemiser.shared.books.reconciling import Reconciler
from the_alchemiser.shared.broker.client import Broker
from the_alchemiser.shared.broker.connect import broker_checks, broker_from_environment
from the_alchemiser.shared.gauges import CloudWatchGauges
from the_alchemiser.shared.ledger.dynamo_ledger import DynamoLedger
from the_alchemiser.shared.market_data.corporate_actions import ACTIONS_PREFIX, read_actions
from the_alchemiser.shared.market_data.objects import S3Objects
from the_alchemiser.shared.market_data.verdict import QUALITY, read_verdict
from the_alchemiser.shared.messaging.commands import CheckDay, StartRun, SweepRuns
from the_alchemiser.shared.messaging.inbox import claims_table, serve
from the_alchemiser.shared.messaging.publisher import BusPublisher
from the_alchemiser.shared.messaging.wiring import Check, Context, Inbox
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.run.dynamo_runs import DynamoRunStore
from the_alchemiser.shared.run.kill_switch import KillSwitch
from the_alchemiser.shared.threads import THREADS


@cache
def _inbox() -> Inbox:
    adapters = _adapters()
    coordinator = _coordinator(adapters)
    return Inbox(
        module=MODULE,
        handlers={StartRun: coordinator.start, SweepRuns: coordinator.sweep, CheckDay: coordinator.check_day},
        publisher=adapters.bus,
        claims=claims_table(os.environ["CLAIMS_TABLE"]),
        checks=_checks(adapters),
    )


class _Adapters(Frozen):
    bus: BusPublisher
    broker: Broker
    runs: DynamoRunStore
    ledger: DynamoLedger
    books: DynamoBooks
    switch: KillSwitch
    lake: S3Objects


def _adapters() -> _Adapters:
    dynamodb = aws.client("dynamodb", connections=THREADS)
    return _Adapters(
        bus=BusPublisher(aws.client("events"), os.environ["BUS_NAME"]),
        broker=broker_from_environment(os.environ),
        runs=DynamoRunStore(dynamodb, os.environ["RUNS_TABLE"]),
        ledger=DynamoLedger(dynamodb, os.environ["LEDGER_TABLE"]),
        books=DynamoBooks(dynamodb, os.environ["RUNS_TABLE"]),
        switch=KillSwitch(aws.client("ssm"), os.environ["KILL_SWITCH_PARAMETER"]),
        lake=S3Objects(aws.client("s3"), os.environ["BUCKET_NAME"]),
    )


def _checks(adapters: _Adapters) -> Mapping[str, Check]:
    return {
        "book": _allocations,
        "runs table": adapters.runs.check,
        "index of the runs table": adapters.runs.check_index,
        "ledger table": adapters.ledger.check,
        "index of the ledger table": lambda: adapters.ledger.entries_of_run("health-check"),
        "bucket": lambda: adapters.lake.check(QUALITY),
        "corporate actions in the bucket": lambda: adapters.lake.check(ACTIONS_PREFIX),
        "bus": adapters.bus.check,
        "kill switch": adapters.switch.check,
        **broker_checks(adapters.broker, os.environ),
    }


def _coordinator(adapters: _Adapters) -> Coordinator:
    stage, account = os.environ["STAGE"], os.environ["BROKER_ACCOUNT"]
    reconciler = Reconciler(
        stage=stage,
        account=account,
        broker=adapters.broker,
        runs=adapters.runs,
        ledger=adapters.ledger,
        actions=lambda: read_actions(adapters.lake),
    )
    return Coordinator(
        stage=stage,
        exchange=adapters.broker,
        runs=adapters.runs,
        settler=OrderSettler(adapters.runs, adapters.broker, adapters.ledger, wall_clock.now, account),
        books=BooksChecker(adapters.books, reconciler),
        switch=adapters.switch,
        verdict=lambda: read_verdict(adapters.lake),
        allocations=_allocations,
        gauges=_gauges,
        now=wall_clock.now,
    )


def _allocations() -> Mapping[str, Decimal]:
    """Return the fractions of the book by strategy. Sweeps, which are frequent, never load it."""
    from the_alchemiser.shared.book import load_book  # noqa: PLC0415 - only starts need it

    return {entry.name: entry.allocation for entry in load_book().entries}


@cache
def _gauges() -> CloudWatchGauges:
    """Return the connection to CloudWatch. Starts and sweeps, which are in a hurry, never create its client."""
    return CloudWatchGauges(aws.client("cloudwatch"), stage=os.environ["STAGE"])


def lambda_handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Start a run, sweep the runs, or check the day."""
    return serve(event, context, build=_inbox)
