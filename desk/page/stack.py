"""What the page shows of the deployed stacks: alarms, releases and sizes."""

from dataclasses import dataclass
from itertools import chain

from automation import size_history
from automation.deploying.releases import environment_status
from automation.deploying.releases import records as releases
from automation.releases import ReleaseList, find
from automation.releases import connect as connect_releases
from automation.sizing import units
from automation.sizing.history import History, Series, SeriesKind
from automation.system import git
from automation.system.overviews import Alarm
from automation.system.stack_overview import StackOverview
from desk.operations.environment import Environment
from desk.page.live import Connection

SHOWN_RELEASES = 10


@dataclass(frozen=True, slots=True)
class SizeLine:
    """The size of an artifact in the newest release; `used_percent` of its limit, None without a limit."""

    label: str
    kind: SeriesKind
    bytes: int
    limit_bytes: int | None

    @property
    def size(self) -> str:
        return units.format_bytes(self.bytes)

    @property
    def limit(self) -> str:
        return "" if self.limit_bytes is None else units.format_bytes(self.limit_bytes)

    @property
    def used_percent(self) -> float | None:
        return None if not self.limit_bytes else 100 * self.bytes / self.limit_bytes


@dataclass(frozen=True, slots=True)
class Stacks:
    """The alarms that ring, of how many; the newest releases; the sizes of what the newest release deployed."""

    ringing: tuple[Alarm, ...]
    alarms: int
    listed: ReleaseList
    sizes: tuple[SizeLine, ...]

    @property
    def shown(self) -> tuple[releases.Release, ...]:
        """Return the newest releases."""
        return self.listed.releases[:SHOWN_RELEASES]

    @property
    def running(self) -> int:
        """Return the number of the release that runs on every stack; 0 when none does."""
        return self.listed.running.number if self.listed.running else 0


def gather(connection: Connection) -> Stacks:
    """Ask CloudWatch, CloudFormation and the table of releases.

    Raises:
        DeploymentError: AWS refused a request or does not answer.
    """
    environment = connection.environment
    scope, target = environment.scope, environment.target
    named = alarm_names(environment)
    listed = find(scope, connect_releases(scope))
    history = size_history.gather(listed.releases, git.tags(scope.root), scope.project, environment=environment.name)
    return Stacks(StackOverview(target).ringing(named), len(named), listed, size_lines(history))


def alarm_names(environment: Environment) -> tuple[str, ...]:
    """Return the names of all alarms of the stacks, sorted."""
    resources = chain.from_iterable(environment.resources.values())
    return tuple(sorted(resource.physical_id for resource in resources if resource.type in environment_status.ALARMS))


def size_lines(history: History) -> tuple[SizeLine, ...]:
    """Return the sizes of the newest release, layers first; nothing without a release that recorded sizes."""
    if not history.releases:
        return ()
    newest = history.releases[-1]
    series = [entry for entry in history.series if entry.points[-1].release is newest]
    kinds = list(SeriesKind)
    return tuple(
        _line(entry, history) for entry in sorted(series, key=lambda entry: (kinds.index(entry.kind), entry.logical_id))
    )


def _line(series: Series, history: History) -> SizeLine:
    return SizeLine(history.label(series), series.kind, series.points[-1].bytes, series.limit_bytes)
