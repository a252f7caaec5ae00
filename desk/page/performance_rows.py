"""Read the Performance table, which metrics_v2 writes: the equity by day, and the latest figures of each strategy."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from desk.operations.environment import Environment
from the_alchemiser.metrics_v2.performance import ACCOUNT
from the_alchemiser.metrics_v2.performance_table import LATEST
from the_alchemiser.shared.dynamo import plain, typed
from the_alchemiser.shared.threads import map_in_threads

TABLE = "PerformanceTable"


@dataclass(frozen=True, slots=True)
class StrategyResult:
    """The latest figures of one strategy, in USD; None for what is unknown.

    Attributes:
        exposure: its market value as a fraction of the account's equity.
    """

    strategy: str
    trading_date: date
    market_value: Decimal
    exposure: Decimal | None
    realised: Decimal | None
    unrealised: Decimal | None


def equity_by_day(environment: Environment, *, days: int) -> tuple[tuple[date, Decimal], ...]:
    """Return the account's equity in USD after the last runs, one per day, ascending."""
    answer = environment.client("dynamodb").query(
        TableName=environment.output(TABLE),
        KeyConditionExpression="pk = :pk AND sk < :latest",
        ExpressionAttributeValues=typed({":pk": f"STRATEGY#{ACCOUNT}", ":latest": LATEST}),
        ScanIndexForward=False,
        Limit=days,
    )
    rows = [plain(item) for item in reversed(answer["Items"])]
    return tuple((date.fromisoformat(row["trading_date"]), Decimal(row["equity"])) for row in rows)


def latest_results(environment: Environment, strategies: Iterable[str]) -> tuple[StrategyResult, ...]:
    """Return the latest figures of these strategies, in this order, without those that have none."""
    names = tuple(strategies)
    rows = map_in_threads(lambda name: _latest(environment, name), names)
    return tuple(_result(rows[name]) for name in names if rows[name])


def latest_run_measured(environment: Environment) -> str:
    """Return the id of the run whose figures are the account's latest; empty without any."""
    return str(_latest(environment, ACCOUNT).get("run_id", ""))


def _latest(environment: Environment, strategy: str) -> Mapping[str, Any]:
    key = typed({"pk": f"STRATEGY#{strategy}", "sk": LATEST})
    answer = environment.client("dynamodb").get_item(TableName=environment.output(TABLE), Key=key)
    return plain(answer.get("Item", {}))


def _result(row: Mapping[str, Any]) -> StrategyResult:
    def number(name: str) -> Decimal | None:
        return Decimal(row[name]) if name in row else None

    return StrategyResult(
        strategy=row["strategy"],
        trading_date=date.fromisoformat(row["trading_date"]),
        market_value=Decimal(row["market_value"]),
        exposure=number("exposure"),
        realised=number("realised"),
        unrealised=number("unrealised"),
    )
