"""`inv dlq.list`, `dlq.show`, `dlq.redrive` and `dlq.drop`: the dead letters of an environment.

A message is sent before it is deleted, and saved before it is dropped: an interruption may double it, never lose it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from automation.deploying import consent
from automation.deploying import scope as scopes
from automation.deploying.checks import credentials
from automation.deploying.scope import Scope
from automation.deploying.stacks import execution
from automation.operating import (
    dead_letters,
    failure_reasons,
    letter_texts,
    redriving,
    saved_letters,
    stack_contents,
    taken_messages,
)
from automation.operating.dead_letters import DeadLetters, QueueMap
from automation.operating.merged_logs import Logs
from automation.operating.redriving import Move
from automation.operating.stack_contents import Stacks
from automation.sizing.units import format_count
from automation.system import console
from automation.system.account_checks import Account
from automation.system.accounts import Identity
from automation.system.cloudformation import CloudFormation
from automation.system.errors import CheckFailedError, UsageError
from automation.system.function_logs import FunctionLogs
from automation.system.message_queues import MessageQueues
from automation.system.queue_messages import QueueMessage

DEFAULT_LIMIT = 10


class Queues(dead_letters.Queues, taken_messages.Queues, Protocol):
    """The calls to SQS; message_queues.MessageQueues is the real one."""

    def send(self, url: str, message: QueueMessage, *, is_fifo: bool) -> None:
        """Send a copy of a message."""
        ...

    def delete(self, url: str, message: QueueMessage) -> None:
        """Delete a received message."""
        ...


@dataclass(frozen=True, slots=True)
class Connection:
    """The connections to an environment."""

    identify: Callable[[], Identity]
    stacks: Stacks
    queues: Queues
    logs: Logs


@dataclass(frozen=True, slots=True)
class Options:
    """What the user chose for a change.

    Attributes:
        ids: the messages; empty for all.
        to: the logical id of the queue to send to; empty for the one that each message was meant for.
        file: send the messages that this file has; empty for those in the queue.
        yes: confirmed in advance.
    """

    ids: tuple[str, ...] = ()
    to: str = ""
    file: str = ""
    yes: bool = False


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of a queue that is confirmed next.

    Attributes:
        command: what the user typed.
    """

    scope: Scope
    connection: Connection
    known: QueueMap
    letters: DeadLetters
    options: Options
    command: str

    @property
    def place(self) -> str:
        """Where the messages are."""
        return self.options.file or self.letters.name

    @property
    def is_whole(self) -> bool:
        """Whether it is for all messages of the queue."""
        return not self.options.ids and not self.options.file

    def confirm(self, effect: str) -> None:
        """Ask for the confirmation of an effect.

        Raises:
            UsageError: the answer does not confirm; nothing was changed.
        """
        if not self.options.yes:
            consent.confirm(effect, self.scope.environment, ask=console.ask)


type Connect = Callable[[Scope], Connection]


def connect(scope: Scope) -> Connection:
    """Open the connections to an environment; no call is made yet."""
    target = scope.target
    return Connection(Account(target).identity, CloudFormation(target), MessageQueues(target), FunctionLogs(target))


def report(
    root: Path,
    name: str,
    *,
    variables: Mapping[str, str],
    json: bool = False,
    now: datetime | None = None,
    connect: Connect = connect,
) -> None:
    """Print the dead-letter queues of the environment `name`.

    Args:
        variables: the process's environment variables.
        now: aware; None for the present.

    Raises:
        UsageError: there is no such environment.
        ConfigurationError: the settings are incomplete or wrong.
        DeploymentError: AWS did not answer.
        CheckFailedError: the credentials cannot be used for this environment, or there are dead letters; then the
            queues are printed first.
    """
    scope, present = scopes.read(root, name, variables=variables), now or datetime.now(UTC)
    connection = _connected(scope, connect, present)
    with console.progress(f"asking AWS about {name}"):
        listed = _read(scope, connection).dead_letters
        oldest = {letters.name: _oldest(letters, connection.queues) for letters in listed}

    if json:
        records = [letter_texts.queue_record(letters, oldest[letters.name]) for letters in listed]
        console.result_json({"format": 1, "environment": name, "queues": records})
    elif listed:
        rows = [letter_texts.row(letters, oldest[letters.name], present) for letters in listed]
        console.table(letter_texts.COLUMNS, rows, right=letter_texts.NUMBERS)
    else:
        console.result(f"{name} has no dead-letter queue")
    findings = [letter_texts.finding(letters, name) for letters in listed if letters.total]
    if findings:
        message = f"{format_count(len(findings), 'queue')} of dead letters"
        raise CheckFailedError(message, where=name, findings=() if json else findings)


def show(
    root: Path,
    name: str,
    queue: str,
    *,
    variables: Mapping[str, str],
    limit: int = DEFAULT_LIMIT,
    json: bool = False,
    now: datetime | None = None,
    connect: Connect = connect,
) -> None:
    """Print messages of a dead-letter queue, and leave them there.

    Args:
        queue: its logical id.
        variables: the process's environment variables.
        limit: how many messages.
        now: aware; None for the present.

    Raises:
        UsageError: there is no such environment or queue, or the limit is less than 1.
        CheckFailedError: the credentials cannot be used for this environment.
        ConfigurationError: the settings are incomplete or wrong.
        DeploymentError: AWS did not answer.
    """
    if limit < 1:
        raise UsageError(f"--limit must be at least 1, got {limit}", where="dlq.show")
    scope, present = scopes.read(root, name, variables=variables), now or datetime.now(UTC)
    connection = _connected(scope, connect, present)
    with console.progress(f"asking AWS about {name}"):
        letters = _read(scope, connection).select(queue, command="dlq.show")
        messages = taken_messages.look(letters.queue.url, connection.queues, limit=limit)
        reasons = [failure_reasons.find(message, letters, connection.logs, now=present) for message in messages]

    shown = list(zip(messages, reasons, strict=True))
    if json:
        records = [letter_texts.message_record(message, reason) for message, reason in shown]
        console.result_json({"format": 1, "environment": name, "queue": letters.name, "messages": records})
        return
    if not shown:
        console.result(letter_texts.nothing_to("show", letters, place=letters.name))
        return
    for message, reason in shown:
        console.results(letter_texts.message_lines(message, reason))
    console.results(letter_texts.next_steps(letters, len(shown), name))


def redrive(
    root: Path,
    name: str,
    queue: str,
    *,
    variables: Mapping[str, str],
    options: Options,
    connect: Connect = connect,
) -> None:
    """Move messages of a dead-letter queue back to the queues that they were meant for.

    Args:
        queue: its logical id.
        variables: the process's environment variables.

    Raises:
        UsageError: there is no such environment, queue or file, it is not clear where a message belongs, or it was not
            confirmed.
        CheckFailedError: the credentials cannot be used for this environment.
        ConfigurationError: the settings are incomplete or wrong.
        DeploymentError: AWS refused a request, or did not answer.
    """
    change = _begin(root, name, queue, variables, options, connect, command="dlq.redrive")
    to = change.known.queue(options.to, command="dlq.redrive --to") if options.to else None
    messages = _messages(change)
    if not messages:
        is_named = bool(options.ids)
        console.result(letter_texts.nothing_to("redrive", change.letters, place=change.place, is_named=is_named))
        return

    moves = redriving.plan(change.letters, messages, to=to, environment=name)
    console.table(("message", "sent", "to"), [_move_row(move) for move in moves])
    change.confirm(f"send {format_count(len(moves), 'message')} in {name}")
    rest = f"what is not listed as sent is still in {change.place}; run the command again"
    with execution.explain_interrupt(rest, where=f"dlq.redrive --env {name}"):
        sent = _send(change, moves)
    console.result(f"sent {format_count(sent, 'message')}", style="bold green")
    console.results(letter_texts.left_over(change.letters, len(moves), sent, is_whole=change.is_whole))
    console.result(f"see what becomes of them: inv logs --follow --env {name}; then inv dlq.list --env {name}")


def drop(
    root: Path,
    name: str,
    queue: str,
    *,
    variables: Mapping[str, str],
    options: Options,
    now: datetime | None = None,
    connect: Connect = connect,
) -> None:
    """Save messages of a dead-letter queue to a file, and delete them.

    Args:
        queue: its logical id.
        variables: the process's environment variables.
        options: `ids` and `yes`.
        now: aware; None for the present.

    Raises:
        UsageError: there is no such environment or queue, or it was not confirmed.
        CheckFailedError: the credentials cannot be used for this environment.
        ConfigurationError: the settings are incomplete or wrong.
        DeploymentError: AWS refused a request, or did not answer.
    """
    change = _begin(root, name, queue, variables, options, connect, command="dlq.drop")
    messages = _messages(change)
    if not messages:
        console.result(letter_texts.nothing_to("drop", change.letters, place=change.place, is_named=bool(options.ids)))
        return

    for message in messages:
        console.results(letter_texts.message_lines(message, ""))
    change.confirm(f"delete {format_count(len(messages), 'message')} from {change.letters.name} in {name}")
    path = saved_letters.path_of(change.letters.name, name, now or datetime.now(UTC))
    saved_letters.save(messages, root / path)
    console.result(f"saved {format_count(len(messages), 'message')} to {path}")
    dropped = _delete(change, messages)
    console.result(f"deleted {format_count(dropped, 'message')} from {change.letters.name}", style="bold green")
    console.result(f"send them again: inv dlq.redrive {change.letters.name} --file {path} --env {name}")
    console.results(letter_texts.left_over(change.letters, len(messages), dropped, is_whole=change.is_whole))


def _begin(
    root: Path,
    name: str,
    queue: str,
    variables: Mapping[str, str],
    options: Options,
    connect: Connect,
    *,
    command: str,
) -> _Change:
    """Refuse at once what cannot be confirmed, check the account, and read the queues.

    Raises:
        UsageError: there is no such environment or queue, or it cannot be confirmed.
        CheckFailedError: the credentials cannot be used for this environment.
        DeploymentError: AWS did not answer.
    """
    scope = scopes.read(root, name, variables=variables)
    is_interactive = console.is_interactive()
    consent.require_possible(scope.environment, yes=options.yes, is_interactive=is_interactive, command=command)
    connection = _connected(scope, connect, datetime.now(UTC))
    known = _read(scope, connection)
    return _Change(scope, connection, known, known.select(queue, command=command), options, command)


def _connected(scope: Scope, connect: Connect, now: datetime) -> Connection:
    """Connect, and check the account: in another one, the stacks would look as if they were not deployed."""
    connection = connect(scope)
    credentials.require_account(scope, connection.identify, now)
    return connection


def _read(scope: Scope, connection: Connection) -> QueueMap:
    names = {settings.stack.name: settings.stack_name for settings in scope.stacks}
    contents = stack_contents.read(names, connection.stacks)
    if not contents:
        environment = scope.environment.name
        raise UsageError(f"{environment} is not deployed; deploy it first: inv deploy --env {environment}")
    return dead_letters.find(contents, connection.queues, environment=scope.environment.name)


def _oldest(letters: DeadLetters, queues: Queues) -> datetime | None:
    """Return when the oldest message that ten receives show was sent; SQS has no attribute for it."""
    messages = taken_messages.look(letters.queue.url, queues, limit=DEFAULT_LIMIT) if letters.waiting else ()
    return messages[0].sent_at if messages else None


def _messages(change: _Change) -> tuple[QueueMessage, ...]:
    """Return the messages of the file or the queue that the user named; print which of them cannot be received.

    Raises:
        UsageError: the file cannot be read.
        DeploymentError: SQS did not answer.
    """
    options, letters = change.options, change.letters
    if options.file:
        messages = saved_letters.read(Path(options.file))
    else:
        with console.progress(f"receiving from {letters.name}"):
            messages = taken_messages.look(letters.queue.url, change.connection.queues)
    if not options.ids:
        return messages
    present = {message.id for message in messages}
    absent = [message_id for message_id in dict.fromkeys(options.ids) if message_id not in present]
    console.results(letter_texts.missing(absent, change.place))
    return tuple(message for message in messages if message.id in options.ids)


def _send(change: _Change, moves: Sequence[Move]) -> int:
    """Send each message, then delete it where it was, and return how many were sent."""
    queues, url, targets = (
        change.connection.queues,
        change.letters.queue.url,
        {move.message.id: move.to for move in moves},
    )

    def send(message: QueueMessage) -> None:
        target = targets[message.id]
        queues.send(target.url, message, is_fifo=target.is_fifo)
        console.result(f"sent {message.id} to {target.name}")

    def move(message: QueueMessage) -> None:
        # In this order: when it ends in between, the message is there twice, but never lost.
        send(message)
        queues.delete(url, message)

    if change.options.file:
        for entry in moves:
            send(entry.message)
        return len(moves)
    return len(taken_messages.take(url, targets.keys(), queues, handle=move))


def _delete(change: _Change, messages: Sequence[QueueMessage]) -> int:
    """Delete messages that are saved, and return how many were deleted."""
    queues, url = change.connection.queues, change.letters.queue.url
    ids = {message.id for message in messages}
    return len(taken_messages.take(url, ids, queues, handle=lambda message: queues.delete(url, message)))


def _move_row(move: Move) -> Sequence[object]:
    return move.message.id, f"{move.message.sent_at:%Y-%m-%d %H:%M:%S}", move.to.name
