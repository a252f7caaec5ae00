"""An AWS account in memory, as far as deployments call it; fake_stacks.py is its CloudFormation.

A function answers the smoke test as the file `answer.json` in its zip says; without that file it is healthy. So what a
function answers follows the code that runs.
"""

import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from automation.deploying.connections import Connections
from automation.deploying.scope import Scope
from automation.system.accounts import DeployedStack
from automation.system.deployers import DeployerLock
from automation.system.errors import ConfigurationError
from automation.system.files import digest
from automation.system.invocations import Invocation
from tests.automation.deploying.fake_accounts import TIMELESS, FakeAccount
from tests.automation.fake_code import FUNCTION, FakeCode, deployed, located
from tests.automation.fake_data import FakeData
from tests.automation.fake_stacks import FakeStacks
from tests.automation.fake_templates import TABLE
from tests.automation.release_tables import FakeReleaseTable

_ANSWER = "answer.json"


@dataclass
class FakeStore:
    """S3; `on_call` is called before each call, with its name and the key, and may raise."""

    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    on_call: Callable[[str, str], None] = lambda _name, _key: None

    def url(self, bucket: str, key: str) -> str:
        return f"https://s3/{bucket}/{key}"

    def require_usable(self, bucket: str) -> None:
        self.on_call("require_usable", bucket)

    def has(self, bucket: str, key: str, *, sha256: str) -> bool:
        self.on_call("has", key)
        content = self.objects.get((bucket, key))
        return content is not None and digest(content) == sha256

    def put(self, bucket: str, key: str, content: bytes, *, sha256: str) -> None:
        self.on_call("put", key)
        assert digest(content) == sha256
        self.objects[bucket, key] = content

    def read(self, bucket: str, key: str) -> bytes:
        self.on_call("read", key)
        if (bucket, key) not in self.objects:
            raise ConfigurationError("the object does not exist", where=f"s3://{bucket}/{key}")
        return self.objects[bucket, key]

    def read_url(self, url: str) -> bytes:
        bucket, _, key = url.removeprefix("https://s3/").partition("/")
        return self.read(bucket, key)


@dataclass
class ObservedTable(FakeReleaseTable):
    """The table of releases; `calls` are the names of the calls that change something."""

    calls: list[str] = field(default_factory=list)
    on_call: Callable[[str, str], None] = lambda _name, _argument: None

    def create(self, *, tags: Mapping[str, str]) -> None:
        self._note("create", str(dict(tags)))
        super().create(tags=tags)

    def add(self, document: Mapping[str, Any]) -> int:
        self._note("add")
        return super().add(document)

    def replace(self, number: int, document: Mapping[str, Any]) -> None:
        self._note("replace", str(number))
        super().replace(number, document)

    def write_retained(self, stack: str, documents: Sequence[Mapping[str, Any]]) -> None:
        self._note("write_retained", stack)
        super().write_retained(stack, documents)

    def delete(self) -> None:
        self._note("delete")
        super().delete()

    def write_lock(self, lock: DeployerLock, *, expected: str) -> bool:
        self._note("lock", lock.deployer.arn)
        return super().write_lock(lock, expected=expected)

    def remove_lock(self, token: str) -> None:
        self._note("unlock")
        super().remove_lock(token)

    def _note(self, name: str, argument: str = "") -> None:
        self.calls.append(name)
        self.on_call(name, argument)


@dataclass
class FakeAccountOfStacks(FakeAccount):
    """An account with the stacks of a CloudFormation."""

    who: Any = TIMELESS
    cloud: FakeStacks = field(default_factory=lambda: FakeStacks(lambda _: b""))

    def stack(self, name: str) -> DeployedStack:
        self._ask("stack", name)
        if name not in self.cloud.stacks:
            return super().stack(name)
        known, described = self.cloud.stacks[name], self.cloud.describe(name)
        resources = self.cloud.resources(name) if known.physical_ids else ()
        return DeployedStack(known.state, described.outputs, described.parameters, resources=resources)


@dataclass
class FakeFunctions:
    """Lambda, as far as the smoke test calls it.

    Attributes:
        requests: the messages, by the function's physical name.
        broken: the errors of functions that fail whatever their code is, by physical name.
        on_call: called before each call, with its name and the function, and may raise.
    """

    cloud: FakeStacks
    store: FakeStore
    requests: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    on_call: Callable[[str, str], None] = lambda _name, _function: None

    def functions(self, stack_name: str) -> Mapping[str, str]:
        resources = self.cloud.resources(stack_name)
        return {resource.logical_id: resource.physical_id for resource in resources if resource.type == FUNCTION}

    def invoke(self, function: str, payload: Mapping[str, Any]) -> Invocation:
        self.on_call("invoke", function)
        self.requests.setdefault(function, []).append(payload)
        if function in self.broken:
            return Invocation(error=self.broken[function])
        code = located(function, self.cloud)
        with zipfile.ZipFile(io.BytesIO(self.store.read(code["S3Bucket"], code["S3Key"]))) as archive:
            names = [name for name in archive.namelist() if name.endswith(_ANSWER)]
            answer: dict[str, Any] = json.loads(archive.read(names[0])) if names else {"healthy": True}
        return Invocation(error=answer["error"]) if "error" in answer else Invocation(answer=answer)


@dataclass
class FakeTables:
    """DynamoDB; `asked` are the tables whose indexes were read."""

    cloud: FakeStacks
    asked: list[str] = field(default_factory=list)

    def global_indexes(self, table: str) -> frozenset[str]:
        self.asked.append(table)
        resource = deployed(table, self.cloud)
        assert resource["Type"] == TABLE
        indexes = resource["Properties"].get("GlobalSecondaryIndexes", ())
        return frozenset(index["IndexName"] for index in indexes)


class FakeAws:
    """One account with everything that a deployment calls."""

    def __init__(self) -> None:
        self.store = FakeStore()
        self.stacks = FakeStacks(self.store.read_url)
        self.account = FakeAccountOfStacks(cloud=self.stacks)
        self.table = ObservedTable()
        self.functions = FakeFunctions(self.stacks, self.store)
        self.code = FakeCode(self.stacks)
        self.tables = FakeTables(self.stacks)
        self.data = FakeData(self.stacks)

    def connect(self, _scope: Scope) -> Connections:
        return Connections(
            account=self.account,
            stacks=self.stacks,
            store=self.store,
            table=self.table,
            functions=self.functions,
            code=self.code,
            tables=self.tables,
            data=self.data,
        )
