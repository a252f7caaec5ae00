"""The connections of a deployment to its target, as protocols: what the commands open and the tests replace."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from automation.deploying.adoption import search
from automation.deploying.checks import visits
from automation.deploying.releases import deployer_lock, expiry, watch_marks
from automation.deploying.releases import records as releases
from automation.deploying.stacks import change_sets, execution, live_code, smoke, uploads, verification
from automation.system.stacks import StackDescription, Stage


class Stacks(execution.Cloud, change_sets.Cloud, verification.Stacks, search.Stacks, Protocol):
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

    def protect(self, stack: str, *, on: bool) -> None:
        """Switch the termination protection of a stack."""
        ...


class Table(releases.Table, deployer_lock.Table, watch_marks.Table, search.Table, expiry.Table, Protocol):
    """The table of releases, which also has the lock; release_table.ReleaseTable is the real one."""

    def create(self, *, tags: Mapping[str, str]) -> None:
        """Create the table unless it exists."""
        ...

    def exists(self) -> bool:
        """Return whether the table exists."""
        ...

    def write_retained(self, stack: str, documents: Sequence[Mapping[str, Any]]) -> None:
        """Store what the deletion of a stack leaves in the account."""
        ...

    def delete(self) -> None:
        """Delete the table with all releases."""
        ...


class Code(verification.Code, live_code.Code, Protocol):
    """The calls to Lambda about code; lambda_code.LambdaCode is the real one."""


class Tables(Protocol):
    """The call to DynamoDB; table_indexes.TableIndexes is the real one."""

    def global_indexes(self, table: str) -> frozenset[str]:
        """Return the names of the global secondary indexes that a table has now."""
        ...


class Data(search.Data, Protocol):
    """The calls to the services that hold data; data_resources.DataResources is the real one."""

    def find(self, resource_type: str, name: str) -> str:
        """Return the physical id of the resource that has a name; empty when there is none."""
        ...

    def release(self, resource_type: str, physical_id: str) -> None:
        """Take away what keeps AWS from deleting a resource, such as the content of a bucket."""
        ...

    def delete(self, resource_type: str, physical_id: str) -> None:
        """Delete a resource; do nothing when it does not exist."""
        ...

    def read_parameter(self, name: str) -> str:
        """Return the value of a parameter in the Parameter Store."""
        ...

    def write_parameter(self, name: str, value: str) -> None:
        """Write the value of a parameter that exists."""
        ...


@dataclass(frozen=True, slots=True)
class Connections:
    """Everything that a deployment calls."""

    account: visits.Account
    stacks: Stacks
    store: uploads.Store
    table: Table
    functions: smoke.Cloud
    code: Code
    tables: Tables
    data: Data
