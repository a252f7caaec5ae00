"""The tasks of `inv`, from automation, sandbox and desk.

The sandbox's `deploy` replaces the automation's: with --env local it starts the sandbox first.
"""

from typing import TYPE_CHECKING

from automation import commands, tasks
from desk import tasks as desk
from desk.data import tasks as data
from desk.documentation import tasks as documentation
from desk.operations import tasks as operations
from desk.page import tasks as page
from desk.performance import tasks as performance
from sandbox import tasks as sandbox

if TYPE_CHECKING:
    from invoke.collection import Collection

    from sandbox.run_day import WriteReport


def reporter() -> "WriteReport":
    """Return the function that writes the report of a day."""
    from desk.report import write_report  # noqa: PLC0415 - a slow import that only run-day needs

    return write_report


namespace: "Collection" = commands.assemble(
    tasks.collection(),
    sandbox.collection(),
    desk.collection(),
    data.data_collection(),
    operations.trading_collection(data.refresh),
    operations.run_collection(),
    tasks=(
        sandbox.bootstrap,
        sandbox.deploy,
        sandbox.run_day_task(reporter),
        desk.backtest,
        documentation.docs_task(lambda: namespace),
        operations.reconcile,
        page.desk,
        performance.pnl,
    ),
)
