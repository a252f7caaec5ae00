"""Let no old interpreter answer, and none that has ended be waited for; runs inside the emulator's process.

An invocation that has begun just before the code of its function is replaced starts a worker with the old code after
the emulator has ended all of those. Without this rule, that worker would answer for ever.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

_REST_S = 1.0  # a process that it started may keep its stderr open

type _Acquire = Callable[..., tuple[Any, str]]


def apply() -> None:
    """Replace the emulator's functions that find a worker for an invocation and read what it has logged."""
    from ministack.core import lambda_runtime  # type: ignore[import-not-found]  # noqa: PLC0415 - lives in the emulator's environment
    from ministack.services import lambda_svc  # type: ignore[import-not-found]  # noqa: PLC0415 - as above

    lambda_svc.acquire_worker = acquiring_current(lambda_runtime.acquire_worker, lambda_runtime)
    worker = lambda_runtime.Worker
    worker._drain_stderr_bounded = draining(worker._drain_stderr_bounded)


def acquiring_current(acquire: _Acquire, pools: Any) -> _Acquire:
    """Return the function with a check: a worker of other code or layers than those of the invocation is ended.

    Args:
        pools: ministack's module with the workers.
    """

    def acquire_current(name: str, config: Mapping[str, Any], code: bytes, *rest: Any, **more: Any) -> tuple[Any, str]:
        wanted = code, _layers(config)
        while True:
            worker, how = acquire(name, config, code, *rest, **more)
            if how == "spawn":
                worker.made_of = wanted
            if how != "reused" or getattr(worker, "made_of", wanted) == wanted:
                return worker, how
            _end(worker, pools)

    return acquire_current


def draining(drain: Callable[..., str]) -> Callable[..., str]:
    """Return the method that reads the log of an invocation without a wait for the lines of an ended interpreter.

    An update ends interpreters, some in the middle of an invocation. What they have logged is complete, and nothing
    follows.
    """

    @wraps(drain)
    def drain_or_take(worker: Any, *waits_s: float, **named_s: float) -> str:
        if worker._proc is not None:
            return drain(worker, *waits_s, **named_s)
        if worker._stderr_thread is not None:
            worker._stderr_thread.join(_REST_S)
        return str(worker._drain_stderr())

    return drain_or_take


def _layers(config: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(layer["Arn"] if isinstance(layer, Mapping) else str(layer) for layer in config.get("Layers") or ())


def _end(worker: Any, pools: Any) -> None:
    with pools._lock:
        for workers in pools._workers.values():
            if worker in workers:
                workers.remove(worker)
    pools.kill_workers([worker])
