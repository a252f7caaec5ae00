"""What an environment contains: its stacks, the data in them, and what earlier stacks have left. Nothing is changed."""

from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from automation.deploying import adopting
from automation.deploying.adoption import model, search
from automation.deploying.adoption.model import RetainedResource
from automation.deploying.adoption.search import Searcher
from automation.deploying.connections import Connections
from automation.deploying.releases import records as releases
from automation.deploying.sessions import Session
from automation.deploying.verdict.aspects import noun
from automation.project.environments import StackSettings
from automation.system import console
from automation.system.stacks import StackState

_CONCURRENT_CALLS = 8


@dataclass(frozen=True, slots=True)
class StackContents:
    """One stack that exists.

    Attributes:
        name: in pyproject.toml.
        data: the resources that hold data, or whose template retains them.
        others: how many other resources it has, by what they are, such as `function`.
    """

    name: str
    state: StackState
    is_protected: bool = False
    data: tuple[RetainedResource, ...] = ()
    others: Mapping[str, int] = field(default_factory=dict)

    @property
    def retained(self) -> tuple[RetainedResource, ...]:
        """What stays when the stack is deleted."""
        return tuple(resource for resource in self.data if search.is_retained(resource))

    @property
    def total(self) -> int:
        """How many resources the stack has."""
        return len(self.data) + sum(self.others.values())


@dataclass(frozen=True, slots=True)
class Inventory:
    """What an environment contains.

    Attributes:
        stacks: those that exist, in the order of deployment.
        left: what earlier stacks have left.
        releases: how many releases the table has; None without a table.
        ids: the logical ids of the templates, by the stack's name in pyproject.toml.
    """

    stacks: tuple[StackContents, ...] = ()
    left: tuple[RetainedResource, ...] = ()
    releases: int | None = None
    ids: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> tuple[RetainedResource, ...]:
        """Everything that holds data, or stays: in the stacks, and left by earlier ones."""
        resources: list[RetainedResource] = []
        for stack in self.stacks:
            resources += stack.data
        return (*resources, *self.left)


def gather(session: Session) -> Inventory:
    """Look at everything that an environment contains.

    Raises:
        DeploymentError: AWS did not answer.
    """
    scope, connections = session.scope, session.connections
    with console.progress(f"looking at what {session.environment} contains"):
        searcher = adopting.searcher(connections, session.surroundings)
        contents = [_contents(settings, searcher, connections) for settings in scope.stacks]
        left = searcher.find(scope.stack_names)
        has_table = connections.table.exists()
        count = len(releases.read(connections.table)) if has_table else None
    return Inventory(
        stacks=tuple(stack for stack in contents if stack is not None),
        left=left,
        releases=count,
        ids={settings.stack.name: tuple(settings.stack.template.resources) for settings in scope.stacks},
        names={settings.stack_name: settings.stack.name for settings in scope.stacks},
    )


def _contents(settings: StackSettings, searcher: Searcher, connections: Connections) -> StackContents | None:
    """Return what a stack contains; None when it does not exist."""
    name, cloud = settings.stack_name, connections.stacks
    described = cloud.describe(name)
    if not described.state.exists:
        return None
    # A stack that only a change set waits for has no template, and nothing in it.
    if not releases.is_created(described.state):
        return StackContents(settings.stack.name, described.state)

    resources = cloud.resources(name)
    defined = search.defined(resources, searcher.expanded(described, name), name)
    data = [resource for resource in defined if resource.is_importable or search.is_retained(resource)]
    ids = {resource.logical_id for resource in data}
    others = Counter(noun(resource.type) for resource in resources if resource.logical_id not in ids)
    return StackContents(
        name=settings.stack.name,
        state=described.state,
        is_protected=described.is_protected,
        data=_with_holdings(data, connections),
        others=dict(sorted(others.items())),
    )


def _with_holdings(resources: Iterable[RetainedResource], connections: Connections) -> tuple[RetainedResource, ...]:
    """Return the resources with what they contain, without those that somebody has deleted already."""

    def look(resource: RetainedResource) -> RetainedResource | None:
        if not resource.is_importable:
            return resource
        holding = connections.data.look(resource.type, resource.physical_id)
        return model.with_holding(resource, holding) if holding else None

    with ThreadPoolExecutor(_CONCURRENT_CALLS) as pool:
        return tuple(resource for resource in pool.map(look, resources) if resource is not None)
