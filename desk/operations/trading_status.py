"""`inv trading.status`: whether the system may trade, what it is doing, and what stands in its way.

Exit code 0: nothing stands in the way of trading. Exit code 3: something does; each finding has the command that helps.
"""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from automation.system import console
from automation.system.errors import CheckFailedError, Finding
from desk.operations import obstacles, situation_view
from desk.operations import situation as situations
from desk.operations.environment import Environment, connect
from desk.operations.situation import Situation


def report(
    root: Path, name: str, *, as_json: bool = False, connect: Callable[[Path, str], Environment] = connect
) -> None:
    """Print the situation of the environment `name`.

    The JSON has `environment`, `trading` (`value`, `since`, `by`), `date`, `market`, `account` and `books` (null when
    the broker does not answer, or there is no check), `runs`, `open_orders` and `findings`; amounts are strings.

    Raises:
        AutomationError: the environment cannot be used, or AWS does not answer.
        CheckFailedError: something stands in the way of trading; the situation is printed first.
    """
    environment = connect(root, name)
    with environment.errors(), closing(environment.broker()) as broker:
        sources = situations.sources_of(environment, broker, now=lambda: datetime.now(UTC))
        situation = situations.gather(sources, environment.stage)
    findings = obstacles.in_the_way_of_trading(situation, obstacles.advice_for(environment))
    show(situation, environment, findings, as_json=as_json)
    if findings:
        message = f"{len(findings)} thing(s) stand in the way of trading"
        raise CheckFailedError(message, where=name, findings=() if as_json else findings)


def show(situation: Situation, environment: Environment, findings: tuple[Finding, ...], *, as_json: bool) -> None:
    """Print the situation, as JSON together with the findings."""
    name, stage = environment.name, environment.stage
    if as_json:
        console.result_json(situation_view.as_json(situation, environment=name, stage=stage, findings=findings))
        return
    console.result(f"{name}: {environment.scope.target_text}")
    situation_view.show(situation, stage)
    if not findings:
        console.result("nothing stands in the way of trading", style="bold green")
