"""The environment that `inv watch` works on: the release that runs there, and what each function runs instead of it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain

from automation.deploying import sessions
from automation.deploying.releases import deployer_lock, watch_marks
from automation.deploying.releases.records import Release, is_created
from automation.deploying.releases.watch_marks import WatchMark
from automation.deploying.sessions import Session
from automation.deploying.stacks import stack_states
from automation.deploying.watching import declared, replaced, updates
from automation.deploying.watching.declared import DeclaredFunction, DeclaredLayer
from automation.deploying.watching.replaced import ReplacedFunction
from automation.deploying.watching.updates import LiveFunction, Publications, Update
from automation.project.environments import Consent, Environment
from automation.system.digests import base64_of
from automation.system.errors import CheckFailedError, Finding, UsageError

_CONCURRENT_CALLS = 8


class MovedError(Exception):
    """The environment was changed by another program since it was read."""


@dataclass(slots=True)
class WatchedEnvironment:
    """The environment, as it was read and as it was changed since.

    Attributes:
        functions: what each deployed function runs, by stack and logical id.
        is_marked: whether the mark was there, or was written, after the environment was read.
    """

    session: Session
    release: Release
    functions: dict[tuple[str, str], LiveFunction]
    published: Publications
    is_marked: bool

    def replaced(self) -> tuple[ReplacedFunction, ...]:
        """Return the functions that run something else than the release, by what Lambda says now.

        Raises:
            DeploymentError: Lambda did not answer.
        """
        functions = [function.declared for function in self.functions.values()]
        return replaced.find(functions, self.session.connections.code, self.release)

    def apply(self, wanted: Sequence[Update]) -> None:
        """Give functions their updates while nobody else deploys; the mark is written before the first one.

        Raises:
            LockedError: another deployer is at work.
            MovedError: somebody has deployed since the environment was read; nothing was changed.
            DeploymentError: AWS refused an update, or did not answer.
        """
        session, connections = self.session, self.session.connections
        deployer = session.deployer()
        with deployer_lock.hold(connections.table, deployer, environment=session.environment):
            # A deployment that changed no stack has still restored the code, and removed the mark.
            is_restored = self.is_marked and watch_marks.read(connections.table) is None
            if is_restored or any(connections.stacks.stack_state(state.name) != state for state in session.states):
                raise MovedError
            moment = datetime.now(UTC).isoformat(timespec="seconds")
            watch_marks.write(connections.table, WatchMark(deployer.person, moment))
            self.is_marked = True
            updates.apply(
                wanted,
                connections.code,
                self.published,
                description=replaced.description(session.environment),
                on_updated=self._note,
            )

    def forget(self) -> None:
        """Remove the mark and the layers of `inv watch`, when every function runs what its release has.

        Raises:
            LockedError: another deployer is at work.
            DeploymentError: AWS refused it, or did not answer.
        """
        session, connections = self.session, self.session.connections
        with deployer_lock.hold(connections.table, session.deployer(), environment=session.environment):
            functions = [function.declared for function in self.functions.values()]
            replaced.forget(functions, connections.code, connections.table, session.environment)

    def _note(self, function: LiveFunction) -> None:
        self.functions[function.key] = function


def require_allowed(environment: Environment) -> None:
    """Refuse an environment that is changed only after its name was typed.

    Raises:
        UsageError: it is one.
    """
    if environment.consent is Consent.WORD:
        name = environment.name
        message = (
            f'inv watch changes code without asking, and {name} has consent = "word"; type inv deploy --env {name}'
        )
        raise UsageError(message, where=f"watch --env {name}")


def read(session: Session) -> WatchedEnvironment:
    """Return what runs in an environment in which a release of this project runs, and nobody deploys.

    Raises:
        CheckFailedError: it is not such an environment.
        DeploymentError: AWS did not answer.
    """
    findings = _obstacles(session)
    if findings or session.running is None:
        message = "its code cannot be watched now; nothing was changed"
        raise CheckFailedError(message, where=session.environment, findings=findings)

    connections, release = session.connections, session.running
    functions = declared.find(session.scope.stacks, connections.stacks, session.surroundings)
    with ThreadPoolExecutor(_CONCURRENT_CALLS) as pool:
        running = list(pool.map(connections.code.running, [function.physical_id for function in functions]))
    live = [LiveFunction(function, code) for function, code in zip(functions, running, strict=True)]
    published = Publications(_released(functions, release), _own(live, session))
    is_marked = session.watched.mark is not None
    return WatchedEnvironment(session, release, {function.key: function for function in live}, published, is_marked)


def read_again(environment: WatchedEnvironment) -> WatchedEnvironment:
    """Return the environment as it is now.

    Raises:
        CheckFailedError, DeploymentError: as `read`.
    """
    return read(sessions.refresh(environment.session))


def _obstacles(session: Session) -> list[Finding]:
    scope, table = session.scope, session.connections.table
    deploy = f"inv deploy --env {session.environment}"
    missing = [state.name for state in session.states if not is_created(state)]
    if missing:
        return [Finding(name, "the stack is not deployed", f"{deploy} first") for name in missing]

    reading = table.read_lock()
    if reading.lock is not None and not deployer_lock.may_take(reading, session.deployer()):
        return [deployer_lock.obstacle(reading.lock, session.environment, table)]
    hindered = [stack_states.obstacle(state, scope.target, session.environment) for state in session.states]
    obstacles = [finding for finding in hindered if finding is not None]
    if session.running is None and not obstacles:
        what = "the code that is deployed there is of no release of this project"
        obstacles.append(Finding(session.environment, what, f"deploy it: {deploy}"))
    return obstacles


def _released(functions: Sequence[DeclaredFunction], release: Release) -> dict[str, str]:
    """Return the digests of the layer versions of the release, by ARN."""
    code = {stack.stack_name: stack.code for stack in release.stacks}
    digests: dict[str, str] = {}
    for function in functions:
        recorded = code.get(function.stack_name, {})
        digests |= {layer.arn: base64_of(recorded[layer.name]) for layer in function.layers if layer.name in recorded}
    return digests


def _own(live: Sequence[LiveFunction], session: Session) -> dict[tuple[str, str], str]:
    """Return the layer versions of an earlier `inv watch` that functions still mount."""
    mounted = set(chain.from_iterable(function.running.layers for function in live))
    mounted -= set(chain.from_iterable(function.declared.arns for function in live))
    code = session.connections.code
    return {(DeclaredLayer("", arn).layer, code.layer_digest(arn)): arn for arn in sorted(mounted)}
