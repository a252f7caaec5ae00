"""`inv run.show`: everything that is known about one run, ended or not, on one page or as JSON."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from automation.system import console
from automation.system.errors import UsageError
from desk.deployment.account import latest_run_id
from desk.operations import run_json, run_page, run_record
from desk.operations.environment import Environment, connect
from desk.operations.orders import OrderBook
from desk.operations.run_record import LATEST, RecordSources
from sandbox.run_evidence import read_decision
from the_alchemiser.notifications_v2.channels import DynamoDeliveries


def report(
    root: Path,
    name: str,
    names: Sequence[str],
    *,
    as_json: bool = False,
    connect: Callable[[Path, str], Environment] = connect,
) -> None:
    """Print everything about a run of the environment `name`; run_json.py describes the JSON.

    Args:
        names: exactly one: a run id, a date for its latest run, or `latest`.

    Raises:
        UsageError: there is no such environment or run, or not exactly one is named.
        AutomationError: the environment cannot be used, or AWS does not answer.
    """
    if len(names) != 1:
        raise UsageError(f"name one run, its date, or {LATEST}; got {len(names)}", where="run.show")
    environment = connect(root, name)
    with environment.errors(), closing(environment.broker()) as broker:
        sources = sources_of(environment, broker)
        record = run_record.gather(sources, run_record.find_run(sources, names[0]))
    if as_json:
        console.result_json(run_json.as_json(record))
    else:
        run_page.show(record)


def sources_of(environment: Environment, broker: OrderBook) -> RecordSources:
    """Return the sources of a deployed environment; no call is made yet."""
    dynamodb, objects = environment.client("dynamodb"), environment.objects()
    return RecordSources(
        stage=environment.stage,
        runs=environment.runs(),
        ledger=environment.ledger(),
        broker=broker,
        deliveries=DynamoDeliveries(dynamodb, environment.physical_id("Claims")),
        decision=lambda path_ref: read_decision(objects, path_ref),
        latest_id=lambda: latest_run_id(dynamodb, environment.output("RunsTable")),
    )
