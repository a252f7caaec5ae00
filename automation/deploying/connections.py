"""The connections of a deployment to its target, as protocols: what the commands open and the tests replace."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from automation.deploying.checks import visits
from automation.deploying.releases import deployer_lock
from automation.deploying.releases import records as releases
from automation.deploying.stacks import change_sets, execution, smoke, uploads, verification
from automation.system.stacks import StackDescription, Stage


class Stacks(change_sets.Cloud, execution.Cloud, verification.Stacks, Protocol):
    """The calls to CloudFormation; cloudformation.CloudFormation is the real one."""

    def describe(self, stack: str) -> StackDescription:
        """Return a stack with its parameters, tags and outputs; without a status when there is no such stack."""
        ...

    def template(self, stack: str, stage: Stage, *, change_set: str = "") -> str | Mapping[str, Any]:
        """Return the template of a stack, or of one of its change sets: its YAML text, or a mapping if it is JSON."""
        ...

    def exports(self) -> Mapping[str, str]:
        """Return the value of every export of the account in this region, by its name."""
        ...


class Table(releases.Table, deployer_lock.Table, Protocol):
    """The table of releases, which also has the lock; release_table.ReleaseTable is the real one."""

    def create(self, *, tags: Mapping[str, str]) -> None:
        """Create the table unless it exists."""
        ...


class Tables(Protocol):
    """The call to DynamoDB; table_indexes.TableIndexes is the real one."""

    def global_indexes(self, table: str) -> frozenset[str]:
        """Return the names of the global secondary indexes that a table has now."""
        ...


@dataclass(frozen=True, slots=True)
class Connections:
    """Everything that a deployment calls."""

    account: visits.Account
    stacks: Stacks
    store: uploads.Store
    table: Table
    functions: smoke.Cloud
    code: verification.Code
    tables: Tables
