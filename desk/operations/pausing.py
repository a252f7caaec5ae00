"""`inv trading.pause` and `inv trading.resume`: set the kill switch, and deal with the orders that are open meanwhile.

A pause asks for no confirmation, because it is the safe direction and may be urgent. From then on no run starts. A run
that has begun sends no further order: each of its trades ends as `trading_paused` once its open order is final.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from automation.deploying import consent
from automation.deploying import scope as scopes
from automation.deploying.checks import physical_names
from automation.system import console
from automation.system.errors import (
    AutomationError,
    CheckFailedError,
    ConfigurationError,
    DeploymentError,
    Finding,
    ToolError,
    UsageError,
)
from desk.deployment.kill_switch import set_command
from desk.operations import obstacles, orders, situation_view
from desk.operations import situation as situations
from desk.operations.environment import SWITCH, Environment, connect
from desk.operations.obstacles import Advice
from desk.operations.orders import CancelledOrder, Stopwatch, run_of, this_clock
from desk.operations.situation import Brokerage, Situation
from desk.operations.switch import Setting, Switch
from the_alchemiser.shared import formats
from the_alchemiser.shared.broker.account_check import require_account
from the_alchemiser.shared.broker.models import Order
from the_alchemiser.shared.run.kill_switch import ENABLED, PAUSED

type Connect = Callable[[Path, str], Environment]
_SANDBOX_ON_ITS_WAY_S = 1.0  # its broker is on this machine


def pause(
    root: Path,
    name: str,
    *,
    variables: Mapping[str, str],
    cancel_open: bool = False,
    connect: Connect = connect,
    wall: Stopwatch | None = None,
) -> None:
    """Pause trading at once, and show which orders are open; cancel those of runs if that is wanted. Idempotent.

    Args:
        variables: the process's environment variables.
        wall: how time passes; None for this machine's clock.

    Raises:
        UsageError: there is no such environment.
        CheckFailedError: the credentials cannot be used for it.
        DeploymentError: AWS cannot be reached, or refused; the message has the aws command that pauses.
        ConfigurationError: trading is paused, but the broker's keys are those of another account.
        ToolError: trading is paused, but the broker does not answer, or an order of a run is still open.
    """
    with _naming_the_command_that_pauses(root, name, variables):
        environment = connect(root, name)
        with environment.errors():
            setting = set_switch(environment.switch(), PAUSED)
    console.result(f"{name}: trading is {situation_view.setting_text(setting)}", style="bold")
    console.result("no run starts, and no order is sent; a trade that has begun ends once its open order is final")

    with _saying_that_it_is_paused(), environment.errors(), closing(environment.broker()) as broker:
        # With keys of another account, the orders that are shown and cancelled would be that account's.
        require_account(broker.account(), environment.parameters.get("BrokerAccount", ""))
        deal_with_orders(
            broker,
            environment=name,
            stage=environment.stage,
            cancel_open=cancel_open,
            wall=wall or this_clock(),
            on_its_way_s=longest_way_s(environment),
        )
    console.result(f"to trade again: inv trading.resume --env {name}")


def resume(
    root: Path,
    name: str,
    *,
    yes: bool = False,
    connect: Connect = connect,
    is_interactive: Callable[[], bool] = console.is_interactive,
    ask: Callable[[str], str] = console.ask,
) -> None:
    """Show why trading is paused and what else stands in its way, ask for confirmation, and enable it.

    Args:
        yes: the user has confirmed on the command line.
        ask: asks a question on the terminal.

    Raises:
        UsageError: there is no such environment, or it was not confirmed.
        AutomationError: the environment cannot be used, or AWS does not answer.
    """
    environment = connect(root, name)
    guards = environment.scope.environment
    consent.require_possible(guards, yes=yes, is_interactive=is_interactive(), command="trading.resume")
    with environment.errors(), closing(environment.broker()) as broker:
        sources = situations.sources_of(environment, broker, now=lambda: datetime.now(UTC))
        situation = situations.gather(sources, environment.stage)
    console.result(f"{name}: {environment.scope.target_text}")
    situation_view.show(situation, environment.stage)
    if situation.switch.is_enabled:
        console.result("trading is enabled already: nothing was changed")
        return

    if not yes:
        consent.confirm(f"resume trading in {name}", guards, ask=ask)
    with environment.errors():
        setting = set_switch(environment.switch(), ENABLED)
    console.result(f"{name}: trading is {situation_view.setting_text(setting)}", style="bold")
    _show_left(still_in_the_way(situation, obstacles.advice_for(environment)))


def set_switch(switch: Switch, value: str) -> Setting:
    """Set the kill switch and read it back.

    Raises:
        DeploymentError: it has another value: somebody else has set it at the same moment.
    """
    switch.set(value)
    setting = switch.read()
    if setting.value != value:
        raise DeploymentError(f"is {setting.value} again: somebody else has set it; try again", where=switch.name)
    return setting


def longest_way_s(environment: Environment) -> float:
    """Return the longest that an order may take from the kill switch to the broker, in seconds."""
    return _SANDBOX_ON_ITS_WAY_S if environment.is_sandbox else orders.ON_ITS_WAY_S


def deal_with_orders(
    broker: Brokerage, *, environment: str, stage: str, cancel_open: bool, wall: Stopwatch, on_its_way_s: float
) -> None:
    """Show the open orders; first cancel those of runs if that is wanted. Call it only while trading is paused.

    Args:
        on_its_way_s: the longest that an order may take from the kill switch to the broker.

    Raises:
        ToolError: an order of a run is still open after a minute of cancellations.
        BrokerError: the broker does not answer.
    """
    now = broker.clock().timestamp
    if cancel_open:
        with console.progress("cancelling the open orders of runs"):
            cancelled = orders.cancel_orders_of_runs(broker, stage, now=now, wall=wall, on_its_way_s=on_its_way_s)
        situation_view.show_cancelled(cancelled)
        require_final(cancelled, environment)

    left = orders.open_orders(broker, now)
    situation_view.show_orders(left, stage)
    console.results(advice_about(left, environment, stage))


def require_final(cancelled: Iterable[CancelledOrder], environment: str) -> None:
    """Check that every order whose cancellation was requested can get no more fills.

    Raises:
        ToolError: one is still open.
    """
    still_open = [order.final.client_order_id for order in cancelled if not order.final.is_done]
    if still_open:
        message = f"the broker has not cancelled {', '.join(still_open)}"
        again = f"cancel there by hand, or run inv trading.pause --env {environment} --cancel-open again"
        raise ToolError(f"{message}; {again}", where=environment)


def advice_about(left: Iterable[Order], environment: str, stage: str) -> list[str]:
    """Return what becomes of open orders while trading is paused, and what a person can do."""
    runs = [run_id for run_id in (run_of(order, stage) for order in left) if run_id]
    if not runs:
        return []
    return [
        f"{formats.plural(len(runs), 'order')} of {', '.join(sorted(set(runs)))} may still fill",
        "the trade that sent an order cancels it within a minute; after the end of its run, the sweep does",
        f"to cancel now: inv trading.pause --env {environment} --cancel-open",
        *(f"to see the run: inv run.show {run_id} --env {environment}" for run_id in sorted(set(runs))),
    ]


def still_in_the_way(situation: Situation, advice: Advice) -> tuple[Finding, ...]:
    """Return what stands in the way of trading besides the kill switch."""
    return tuple(
        finding for finding in obstacles.in_the_way_of_trading(situation, advice) if finding.where != obstacles.PAUSED
    )


def _show_left(findings: tuple[Finding, ...]) -> None:
    if findings:
        console.result("what still stands in the way:")
        console.findings(findings)


@contextmanager
def _saying_that_it_is_paused() -> Iterator[None]:
    """Say first in an error of the block that trading is paused."""
    try:
        yield
    except AutomationError as cause:
        raise type(cause)(f"trading is paused, but {cause.message}", where=cause.where) from cause


@contextmanager
def _naming_the_command_that_pauses(root: Path, name: str, variables: Mapping[str, str]) -> Iterator[None]:
    """Add the aws command that pauses trading to an error of the block, unless the user or the account is wrong."""
    try:
        yield
    except (UsageError, CheckFailedError):
        raise
    except AutomationError as cause:
        command = command_that_pauses(root, name, variables)
        message = f"{cause.message}; trading is not known to be paused: to pause it without this program: {command}"
        raise type(cause)(message, where=cause.where) from cause


def command_that_pauses(root: Path, name: str, variables: Mapping[str, str]) -> str:
    """Return the aws command that pauses trading; it is known from the project's files alone.

    Raises:
        AutomationError: the files are wrong.
    """
    scope = scopes.read(root, name, variables=variables)
    for settings in scope.stacks:
        resources = physical_names.named_resources(
            settings, account=scope.environment.account, region=scope.target.region
        )
        for resource in resources:
            if resource.logical_id == SWITCH:
                return set_command(scope.target, resource.name, PAUSED)
    raise ConfigurationError(f"no template has the resource {SWITCH}", where=name)
