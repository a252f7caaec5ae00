"""What the automation tells a hook, and the lines that a hook returns."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from automation.system.targets import Target
from sandbox.exchange.sessions import NEW_YORK

type Line = dict[str, str]


class Level(StrEnum):
    """What a line means: it stops a deployment, it warns, or it only informs."""

    STOP = "stop"
    WARN = "warn"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Context:
    """What a hook may need to know; automation/deploying/checks/hooks.py describes the fields.

    Attributes:
        now: aware.
        is_temporary: whether the environment has no secrets, and so no broker.
    """

    environment: str
    target: Target
    stacks: Mapping[str, str]
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    breaking_contracts: tuple[str, ...]
    missing: tuple[str, ...]
    now: datetime
    is_temporary: bool = False

    @property
    def is_deployed(self) -> bool:
        """Return whether the trading stack exists; otherwise there is nothing to guard."""
        return "RunsTable" in self.outputs

    @property
    def is_sandbox(self) -> bool:
        """Return whether this is the sandbox: its day is simulated, and nothing happens there by itself."""
        return self.parameters.get("Stage") == "local"

    @property
    def has_schedules(self) -> bool:
        """Return whether schedules start the day's run."""
        return self.parameters.get("ScheduleState", "ENABLED") == "ENABLED"

    @property
    def today(self) -> date:
        """Return the date in New York."""
        return self.now.astimezone(NEW_YORK).date()


def parse(context: Mapping[str, Any]) -> Context:
    """Read the mapping that a hook is called with.

    The target has no credentials: the process of a hook has them in its environment variables.
    """
    return Context(
        environment=context["environment"],
        target=Target(context["region"], context.get("endpoint", "")),
        stacks=context.get("stacks", {}),
        outputs=context.get("outputs", {}),
        parameters=context.get("parameters", {}),
        breaking_contracts=tuple(context.get("breaking_contracts", ())),
        missing=tuple(context.get("missing", ())),
        now=datetime.fromisoformat(context["now"]),
        is_temporary=context.get("is_temporary", False),
    )


def line(level: Level, where: str, what: str, fix: str = "") -> Line:
    """Return a line as the automation takes it."""
    return {"level": level.value, "where": where, "what": what, "fix": fix}
