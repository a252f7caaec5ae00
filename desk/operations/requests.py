"""`inv trading.sweep` and `inv trading.refresh`: send the command of a schedule now, and say what to look at next."""

import re
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from automation.system import console
from automation.system.errors import UsageError
from desk.operations.environment import COORDINATOR, DATA_MODULE, Environment, connect
from the_alchemiser.shared import formats
from the_alchemiser.shared.broker.account_check import require_account
from the_alchemiser.shared.messaging.commands import Command, RefreshMarketData, SweepRuns
from the_alchemiser.shared.values import SYMBOL_PATTERN

type Connect = Callable[[Path, str], Environment]


def sweep(root: Path, name: str, *, connect: Connect = connect) -> None:
    """Let the coordinator of the environment `name` sweep once. Harmless, however often it is sent.

    Raises:
        UsageError: there is no such environment.
        ConfigurationError: the broker's keys are those of another account; nothing was sent.
        AutomationError: the environment cannot be used, or AWS or the broker does not answer.
    """
    _send(connect(root, name), COORDINATOR, SweepRuns(command="sweep-runs"))
    console.results(
        (
            f"{name}: asked {COORDINATOR} to settle ended runs and, from 5 minutes after the close on, check the books",
            f"in a few seconds: inv reconcile --env {name}",
            f"what it did: {_log(COORDINATOR, name)}",
        )
    )


def refresh(root: Path, name: str, symbols: Sequence[str], *, connect: Connect = connect) -> None:
    """Let the environment `name` load and check market data.

    Args:
        symbols: those to load; none for all of the book.

    Raises:
        UsageError: there is no such environment, or no such symbol can exist.
        ConfigurationError: the broker's keys are those of another account; nothing was sent.
        AutomationError: the environment cannot be used, or AWS or the broker does not answer.
    """
    command = _refresh_of(symbols)
    _send(connect(root, name), DATA_MODULE, command)
    what = formats.plural(len(command.symbols), "symbol") if command.symbols else "the market data of the book"
    console.results(
        (
            f"{name}: asked {DATA_MODULE} to load {what}; the quality check then runs by itself",
            f"in a minute: inv trading.status --env {name}",
            f"what it did: {_log(DATA_MODULE, name)}",
        )
    )


def _send(environment: Environment, module: str, command: Command) -> None:
    # With keys of another account, the function would do nothing, and only its log would say why.
    with environment.errors(), closing(environment.broker()) as broker:
        require_account(broker.account(), environment.parameters.get("BrokerAccount", ""))
        environment.send(module, command)


def _refresh_of(symbols: Sequence[str]) -> RefreshMarketData:
    wrong = sorted({symbol for symbol in symbols if re.fullmatch(SYMBOL_PATTERN, symbol) is None})
    if wrong:
        message = f"no symbol can be {', '.join(wrong)}; write symbols as the broker does: SPY BRK.B"
        raise UsageError(message, where="trading.refresh")
    return RefreshMarketData(command="refresh-market-data", symbols=tuple(symbols))


def _log(module: str, environment: str) -> str:
    return f"inv logs --env {environment} --function {module} --since 5m"
