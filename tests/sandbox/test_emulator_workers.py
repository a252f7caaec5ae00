"""A worker of replaced code does not answer, whenever it was started."""

from dataclasses import dataclass, field
from threading import Lock
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
