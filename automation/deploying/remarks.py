"""The results of checks before a deployment, from the harmless to those that stop it."""

from dataclasses import dataclass
from enum import StrEnum

from automation.system.errors import Finding


class Level(StrEnum):
    """What a remark means for a deployment. INFO: it could not be checked here, or is good to know."""

    STOP = "stop"
    WARN = "warn"
    INFO = "info"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Remark:
    """The result of one check: where, what, and the line or command that fixes it."""

    level: Level
    where: str
    what: str
    fix: str = ""

    @property
    def finding(self) -> Finding:
        """The remark as a finding, for tables and errors."""
        return Finding(self.where, self.what, self.fix)
