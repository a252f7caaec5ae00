"""The services that hold data, in memory: what is in the stacks of a fake CloudFormation, and what they have left."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from automation.system.errors import DeploymentError
from automation.system.holdings import PARAMETER, QUEUE, TABLE, Holding
from tests.automation.fake_stacks import FakeStacks

KEYS = ("id HASH S",)


@dataclass
class FakeData:
    """What resources contain. Unless a test says otherwise a table has 3 items, and everything else nothing.

    Attributes:
        contents: by physical id.
        strangers: resources that no stack has or had: what they contain, by type and physical id.
        values: of parameters, by name.
        deleted: the physical ids of what was deleted.
        calls: those that change something, such as `delete shop-Sales`.
        on_call: called before each call, with its name and the physical id; it may raise.
    """

    cloud: FakeStacks
    contents: dict[str, Holding] = field(default_factory=dict)
    strangers: dict[tuple[str, str], Holding] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    on_call: Callable[[str, str], None] = lambda _name, _physical_id: None

    def look(self, resource_type: str, physical_id: str) -> Holding | None:
        self.on_call("look", physical_id)
        if physical_id in self.deleted:
            return None
        if (resource_type, physical_id) in self.strangers:
            return self.strangers[resource_type, physical_id]
        if (resource_type, physical_id) not in set(self._known()):
            return None
        default = (
            Holding("3 items", is_empty=False, keys=KEYS) if resource_type == TABLE else Holding("", is_empty=True)
        )
        return self.contents.get(physical_id, default)

    def find(self, resource_type: str, name: str) -> str:
        self.on_call("find", name)
        physical_id = f"https://sqs/{name}" if resource_type == QUEUE else name
        return physical_id if self.look(resource_type, physical_id) else ""

    def release(self, resource_type: str, physical_id: str) -> None:
        self._note("release", physical_id)

    def delete(self, resource_type: str, physical_id: str) -> None:
        self._note("delete", physical_id)
        self.deleted.add(physical_id)

    def read_parameter(self, name: str) -> str:
        self.on_call("read_parameter", name)
        if self.look(PARAMETER, name) is None:
            raise DeploymentError("the parameter does not exist", where=name)
        return self.values.get(name, "first")

    def write_parameter(self, name: str, value: str) -> None:
        self._note("write_parameter", name)
        self.values[name] = value

    def _known(self) -> Iterator[tuple[str, str]]:
        """Yield type and physical id of everything that a stack has, or has retained."""
        for stack in [*self.cloud.stacks.values(), *self.cloud.deleted]:
            for name, physical_id in stack.physical_ids.items():
                yield str(stack.content.resources[name]["Type"]), physical_id

    def _note(self, name: str, physical_id: str) -> None:
        self.on_call(name, physical_id)
        self.calls.append(f"{name} {physical_id}")
