"""A worker of replaced code does not answer, whenever it was started; one that has ended is not waited for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Any

from sandbox import emulator_workers


@dataclass(eq=False)
class Worker:
    """A worker of ministack."""

    code: bytes
    in_use: bool = True


@dataclass
class Pools:
    """The part of ministack's lambda_runtime that finds workers."""

    _lock: Any = field(default_factory=Lock)
    _workers: dict[str, list[Worker]] = field(default_factory=dict)
    killed: list[Worker] = field(default_factory=list)

    def acquire_worker(
        self, name: str, _config: Any, code: bytes, qualifier: str = "$LATEST", max_concurrency: int | None = None
    ) -> tuple[Worker | None, str]:
        entries = self._workers.setdefault(f"{name}:{qualifier}", [])
        for worker in entries:
            if not worker.in_use:
                worker.in_use = True
                return worker, "reused"
        if max_concurrency and len(entries) >= max_concurrency:
            return None, "func_cap"
        entries.append(Worker(code))
        return entries[-1], "spawn"

    def kill_workers(self, workers: list[Worker]) -> None:
        self.killed += workers


def config(*layers: str) -> dict[str, Any]:
    return {"Layers": [{"Arn": arn} for arn in layers]}


def test_worker_of_the_same_code_and_layers_is_used_again() -> None:
    pools = Pools()
    acquire = emulator_workers.acquiring_current(pools.acquire_worker, pools)
    first, _ = acquire("till", config("arn:1"), b"new")
    first.in_use = False

    assert acquire("till", {"Layers": ["arn:1"]}, b"new", qualifier="$LATEST") == (first, "reused")
    assert pools.killed == []


def test_worker_of_replaced_code_is_ended() -> None:
    """An invocation from before the update has started it after the update."""
    pools = Pools()
    acquire = emulator_workers.acquiring_current(pools.acquire_worker, pools)
    old, _ = acquire("till", config("arn:1"), b"old")
    old.in_use = False

    worker, how = acquire("till", config("arn:1"), b"new")

    assert (worker.code, how) == (b"new", "spawn")
    assert (pools.killed, pools._workers["till:$LATEST"]) == ([old], [worker])


def test_worker_of_replaced_layers_is_ended() -> None:
    pools = Pools()
    acquire = emulator_workers.acquiring_current(pools.acquire_worker, pools)
    old, _ = acquire("till", config("arn:1"), b"same")
    old.in_use = False

    worker, how = acquire("till", config("arn:2"), b"same")

    assert (worker is old, how, pools.killed) == (False, "spawn", [old])


def test_function_at_its_limit_gets_no_worker() -> None:
    pools = Pools()
    acquire = emulator_workers.acquiring_current(pools.acquire_worker, pools)
    acquire("till", config(), b"new", max_concurrency=1)

    assert acquire("till", {}, b"new", max_concurrency=1) == (None, "func_cap")


@dataclass(eq=False)
class Speaker:
    """A worker of ministack, as far as it reads what its process writes to stderr."""

    _proc: object | None = None
    lines: list[str] = field(default_factory=list)
    _stderr_thread: Thread | None = None

    def _drain_stderr(self) -> str:
        return "\n".join(self.lines)

    def read_late(self, line: str, may_read: Event) -> None:
        """Start a thread that reads one more line, once it may."""

        def read() -> None:
            may_read.wait(10)
            self.lines.append(line)

        self._stderr_thread = Thread(target=read)
        self._stderr_thread.start()


def waiting(calls: list[Any]) -> Callable[..., str]:
    def drain(_worker: Any, *waits_s: float, **named_s: float) -> str:
        calls.append((waits_s, named_s))
        return "waited"

    return drain


def test_log_of_a_running_worker_is_waited_for() -> None:
    calls: list[Any] = []
    drain = emulator_workers.draining(waiting(calls))

    assert drain(Speaker(_proc=object()), 0.5, idle_confirm=0.1) == "waited"
    assert calls == [((0.5,), {"idle_confirm": 0.1})]


def test_log_of_an_ended_worker_is_taken_as_it_is() -> None:
    calls: list[Any] = []

    assert emulator_workers.draining(waiting(calls))(Speaker(lines=["START", "END"])) == "START\nEND"
    assert calls == []


def test_log_of_an_ended_worker_has_its_last_line() -> None:
    speaker, may_read = Speaker(lines=["START"]), Event()
    speaker.read_late("END", may_read)
    may_read.set()

    assert emulator_workers.draining(waiting([]))(speaker) == "START\nEND"
