"""A session with an environment: what a command works on, through which connections, as whom, and what runs there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType

from automation.deploying import asked_parameters, bootstrap_stack
from automation.deploying.checks import credentials, hooks
from automation.deploying.connections import Connections
from automation.deploying.planning import Surroundings
from automation.deploying.releases import records as releases
from automation.deploying.releases.records import Release, Status
from automation.deploying.remarks import Remark
from automation.deploying.scope import Scope
from automation.deploying.stacks.execution import Operator
from automation.deploying.watching import replaced
from automation.deploying.watching.replaced import Watched
from automation.system import console, deployers
from automation.system.accounts import Identity
from automation.system.git import WorkTree
from automation.system.stacks import StackState


@dataclass(frozen=True, slots=True)
class Session:
    """One command at work.

    Attributes:
        tree: None without git or a commit.
        known: the releases, newest first.
        states: of the stacks, in the order of deployment.
        running: the release that runs; None when it is not known.
        now: when the command began, aware UTC.
        command: what the user typed for a deployment, to which options can be added; empty for another command.
        watched: the code of the release that inv watch has replaced.
    """

    scope: Scope
    connections: Connections
    identity: Identity
    tree: WorkTree | None
    known: tuple[Release, ...]
    states: tuple[StackState, ...]
    running: Release | None
    now: datetime
    command: str = ""
    watched: Watched = field(default_factory=Watched)

    @property
    def environment(self) -> str:
        """The name of the environment."""
        return self.scope.environment.name

    @property
    def surroundings(self) -> Surroundings:
        """Where the stacks are."""
        return Surroundings(self.scope.root, self.scope.target, self.identity.account)

    @property
    def next_number(self) -> int:
        """The number that the next release gets."""
        return self.known[0].number + 1 if self.known else 1

    def stamp(self, digests: Mapping[str, str]) -> Mapping[str, str]:
        """Return what the templates of a deployment say about it.

        Args:
            digests: of what is deployed, by the stack's name in the account.
        """
        continued = self.unfinished(digests)
        number = continued.number if continued else self.next_number
        return {"Release": f"r{number}", "Commit": self.tree.commit if self.tree else "none"}

    def unfinished(self, digests: Mapping[str, str]) -> Release | None:
        """Return the release that an interrupted deployment of this content has left unfinished; None without one.

        Args:
            digests: by the stack's name in the account.
        """
        latest = self.known[0] if self.known else None
        if latest is None or latest.status != Status.DEPLOYING:
            return None
        return latest if digests == {stack.stack_name: stack.digest for stack in latest.stacks} else None

    def run_hooks(self, kind: str, functions: tuple[str, ...], *, breaking: tuple[str, ...] = ()) -> tuple[Remark, ...]:
        """Run hooks of the project, which see the stacks as they are deployed now.

        Raises:
            ConfigurationError: there is no such function.
            DeploymentError: CloudFormation did not answer.
        """
        described = [self.connections.stacks.describe(name) for name in self.scope.stack_names] if functions else []
        context = hooks.context_of(
            self.scope,
            now=self.now,
            account=self.identity.account,
            outputs=[stack.outputs for stack in described],
            parameters=[stack.parameters for stack in described],
            breaking_contracts=breaking,
        )
        return hooks.run(kind, functions, context, root=self.scope.root, target=self.scope.target)

    def operator(self, renew: Callable[[], None]) -> Operator:
        """Return the person at the terminal, if there is one.

        Args:
            renew: renews the lock when that is due.
        """
        ask = console.ask if console.is_interactive() else None
        return Operator(self.environment, self.scope.target, ask=ask, on_look=renew)

    def rollback_command(self, release: Release) -> str:
        """Return the command that restores a release."""
        return f"inv rollback --env {self.environment} --to {release.name}"

    def deployer(self) -> deployers.Deployer:
        """Return this process as the holder of the lock."""
        return deployers.this_process(self.identity.arn)


def begin(
    scope: Scope,
    connections: Connections,
    tree: WorkTree | None,
    *,
    chosen: Mapping[str, str] = MappingProxyType({}),
    command: str = "",
) -> Session:
    """Ask who we are and what runs; nothing is changed. The scope gets the values of parameters that no file has.

    Args:
        chosen: the values of parameters that were given with --set.
        command: what the user typed for a deployment.

    Raises:
        CheckFailedError: the credentials do not work, or belong to another account than the environment's.
        DeploymentError: AWS did not answer.
    """
    now = datetime.now(UTC)
    identity = credentials.require_account(scope, connections.account.identity, now)
    session = refresh(Session(scope, connections, identity, tree, (), (), None, now, command))
    if not scope.project.settings.ask:
        return session
    described = [connections.stacks.describe(name) for name in scope.stack_names]
    deployed = {stack.state.name: stack.parameters for stack in described if releases.is_created(stack.state)}
    answers = bootstrap_stack.answers(scope.environment, scope.name_patterns, connections.stacks)
    released = asked_parameters.of_releases(session.known, scope.project.settings.ask)
    return replace(session, scope=asked_parameters.fill(scope, deployed, chosen, {**answers, **released}))


def begin_of_pattern(scope: Scope, connections: Connections) -> Session:
    """Ask who we are, for what all environments of a pattern have in common; it has no stacks and no releases.

    Raises:
        CheckFailedError: as begin.
    """
    now = datetime.now(UTC)
    identity = credentials.require_account(scope, connections.account.identity, now)
    return Session(scope, connections, identity, None, (), (), None, now)


def refresh(session: Session) -> Session:
    """Return the session with the releases, the stacks and the code as they are now.

    Raises:
        DeploymentError: AWS did not answer.
    """
    connections, scope = session.connections, session.scope
    known = releases.read(connections.table)
    states = tuple(connections.stacks.stack_state(name) for name in scope.stack_names)
    running = releases.running(known, states)
    watched = replaced.read(scope.stacks, connections, session.surroundings, running)
    return replace(session, known=known, states=states, running=running, watched=watched)


def is_up_to_date(session: Session, digests: Mapping[str, str]) -> bool:
    """Return whether a deployment of this content would change nothing.

    Args:
        digests: by the stack's name in the account.
    """
    is_replaced = bool(session.watched.replaced)
    if session.running is None or is_replaced or any(settings.sets_anew for settings in session.scope.stacks):
        return False
    return releases.is_up_to_date(session.running, digests, session.states)
