"""Trade a day by `inv run-day`, as a person types it, and let happen to it what a trial draws."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from sandbox import emulator, lifecycle, servers
from tests.chaos.drawing import FREEZE_S, Trial
from tests.chaos.stage import ROOT, Stage

UNAVAILABLE = 5
DAY_LIMIT_S = 400.0
QUIET_LIMIT_S = 90.0
_QUIET_S = 1.0
_POLL_S = 0.1


class Command(NamedTuple):
    """One `inv run-day` that has ended."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def findings(self) -> tuple[str, ...]:
        """Return the findings of the day in one line each; empty without a summary of the day."""
        try:
            days = json.loads(self.stdout)
        except ValueError:
            return ()
        lines: list[str] = []
        for day in days:
            lines += [f"{finding['where']}: {finding['what']}" for finding in day["findings"]]
        return tuple(lines)

    @property
    def words(self) -> str:
        """Return its findings, or else what it said last."""
        return "; ".join(self.findings) or self.last_words

    @property
    def last_words(self) -> str:
        """Return the end of what the command said on stderr."""
        return " ".join(self.stderr.split())[-600:]


@dataclass(frozen=True, slots=True)
class TradedDay:
    """What happened on a day.

    Attributes:
        first: the day's command; when the emulator was restarted under it, `resumed` is the one that came after.
        second: the command that was started while the first one was running.
        happened: what was done to the servers, and the second command, one sentence each.
        resent: the messages that were sent again, `<queue>: <what it is about>`.
    """

    first: Command
    second: Command | None = None
    resumed: Command | None = None
    happened: tuple[str, ...] = ()
    resent: tuple[str, ...] = ()
    is_quiet: bool = True

    @property
    def last(self) -> Command:
        """Return the command that traded the day to its end."""
        return self.resumed or self.first


class Event(NamedTuple):
    """Something that happens once so many messages have shown up."""

    what: str
    number: int | None
    happen: Callable[[], None]

    def is_due(self, messages: int) -> bool:
        """Return whether it happens now."""
        return self.number is not None and messages >= self.number


@dataclass(slots=True)
class Disturbance:
    """Everything that a trial does to one day, in the order of its times."""

    stage: Stage
    trial: Trial
    second: "RunningDay | None" = None
    resent: list[str] = field(default_factory=list)
    happened: list[str] = field(default_factory=list)
    _frozen_at: float | None = None
    _seen: set[str] = field(default_factory=set)
    _copies: set[str] = field(default_factory=set)
    _late: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def trade(self) -> TradedDay:
        """Trade the day of the trial under its faults, and wait until no message is left."""
        for kill in self.trial.kills:
            self.stage.plant(kill)
        command = start_day(self.stage, self.trial, "first")
        with _thawed(self.stage):
            self._disturb(command)
            first = command.ended()
        second = None if self.second is None else self.second.ended()

        resumed = None
        if self.trial.restart_at is not None and first.exit_code == UNAVAILABLE:
            resumed = start_day(self.stage, self.trial, "resumed").ended()
        for queue, message in self._late:
            self._resend(queue, message)
        return TradedDay(first, second, resumed, tuple(self.happened), tuple(self.resent), is_quiet=self._await_quiet())

    def _disturb(self, command: "RunningDay") -> None:
        began, events = time.monotonic(), self._events()
        while not command.is_over:
            if time.monotonic() - began > DAY_LIMIT_S:
                command.process.kill()
            self._look()
            for event in [event for event in events if event.is_due(len(self._seen))]:
                events.remove(event)
                event.happen()
                self.happened.append(event.what)
            if self._frozen_at is not None and time.monotonic() - self._frozen_at >= FREEZE_S:
                self._frozen_at = None
                signal_exchange(self.stage, signal.SIGCONT)
            time.sleep(_POLL_S)

    def _events(self) -> list["Event"]:
        trial = self.trial
        events = (
            Event("the exchange was frozen", trial.freeze_at, self._freeze),
            Event("the emulator was restarted", trial.restart_at, lambda: restart_emulator(self.stage)),
            Event("a second run-day was started", trial.second_at, self._start_second),
        )
        return [event for event in events if event.number is not None]

    def _freeze(self) -> None:
        self._frozen_at = time.monotonic()
        signal_exchange(self.stage, signal.SIGSTOP)

    def _start_second(self) -> None:
        self.second = start_day(self.stage, self.trial, "second")

    def _look(self) -> None:
        """Note the messages that are new in the inboxes, and send again what the trial says."""
        wanted = {resend.number: resend.is_late for resend in self.trial.resends}
        try:
            messages = self.stage.messages()
        except httpx.HTTPError:  # a busy machine; the next look finds the same messages
            return
        for queue, message in _in_inboxes(self.stage, messages):
            if message["MessageId"] in self._seen | self._copies:
                continue
            self._seen.add(message["MessageId"])
            is_late = wanted.get(len(self._seen))
            if is_late is False:
                self._resend(queue, message)
            elif is_late:
                self._late.append((queue, message))

    def _resend(self, queue: str, message: Mapping[str, Any]) -> None:
        fifo = {}
        if message["MessageGroupId"]:
            # SQS drops the deduplication id of the original for five minutes.
            again = f"{message['MessageDeduplicationId']}#{len(self.resent) + 2}"
            fifo = {"MessageGroupId": message["MessageGroupId"], "MessageDeduplicationId": again}
        url = self.stage.deployment.queues[queue].url
        sent = self.stage.client("sqs").send_message(QueueUrl=url, MessageBody=message["Body"], **fifo)
        self._copies.add(sent["MessageId"])
        self.resent.append(f"{queue}: {about(message['Body'])}")

    def _await_quiet(self) -> bool:
        """Wait until all inboxes have been empty for a while; return False when that takes too long."""
        began = busy_at = time.monotonic()
        while time.monotonic() - busy_at < _QUIET_S:
            if any(True for _ in _in_inboxes(self.stage, self.stage.messages())):
                busy_at = time.monotonic()
            if time.monotonic() - began > QUIET_LIMIT_S:
                return False
            time.sleep(_POLL_S)
        return True


@dataclass(frozen=True, slots=True)
class RunningDay:
    """An `inv run-day` that runs; its output goes to files, because a pipe that nobody reads would stop it."""

    process: subprocess.Popen[bytes]
    stdout: Path
    stderr: Path

    @property
    def is_over(self) -> bool:
        return self.process.poll() is not None

    def ended(self) -> Command:
        """Wait for its end."""
        exit_code = self.process.wait(timeout=DAY_LIMIT_S)
        return Command(exit_code, self.stdout.read_text(), self.stderr.read_text())


def start_day(stage: Stage, trial: Trial, name: str) -> RunningDay:
    """Start `inv run-day` for the trial's day; the sandbox's folder of logs keeps what it prints."""
    output = stage.settings.directory / "logs" / f"run-day-{trial.seed}-{name}.out"
    paths = output, output.with_suffix(".err")
    with paths[0].open("wb") as stdout, paths[1].open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "invoke", "run-day", "--date", trial.day.isoformat(), "--json"],
            cwd=ROOT,
            env=dict(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        )
    return RunningDay(process, *paths)


def signal_exchange(stage: Stage, number: signal.Signals) -> None:
    """Send a signal to the exchange's process, which may have ended."""
    state = servers.state_of(lifecycle.exchange_server(stage.settings))
    if state is not None:
        os.kill(state.pid, number)


@contextmanager
def _thawed(stage: Stage) -> Iterator[None]:
    """Let the exchange continue in any case."""
    try:
        yield
    finally:
        signal_exchange(stage, signal.SIGCONT)


def restart_emulator(stage: Stage) -> None:
    """Stop the emulator by SIGTERM, so that it saves its state, and start it again."""
    emulator.stop(stage.settings)
    emulator.start(stage.settings)


def _in_inboxes(
    stage: Stage, messages: Mapping[str, tuple[Mapping[str, Any], ...]]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, queue in sorted(stage.deployment.queues.items()):
        if not queue.is_dead_letter:
            for message in messages.get(name, ()):
                yield name, message


def about(body: str) -> str:
    """Return the id of a body's message, or its command."""
    content = json.loads(body)
    return str(content.get("command") or content["detail"]["message_id"])
