"""Let no old interpreter answer; runs inside the emulator's process, before it serves.

An invocation that has begun just before the code of its function is replaced starts a worker with the old code after
the emulator has ended all of those. Without this rule, that worker would answer for ever.
"""

from collections.abc import Callable, Mapping
from typing import Any

type _Acquire = Callable[..., tuple[Any, str]]


def apply() -> None:
    """Replace the emulator's function that finds a worker for an invocation."""
    from ministack.core import lambda_runtime  # type: ignore[import-not-found]  # noqa: PLC0415 - lives in the emulator's environment
    from ministack.services import lambda_svc  # type: ignore[import-not-found]  # noqa: PLC0415 - as above

    lambda_svc.acquire_worker = acquiring_current(lambda_runtime.acquire_worker, lambda_runtime)


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


def _layers(config: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(layer["Arn"] if isinstance(layer, Mapping) else str(layer) for layer in config.get("Layers") or ())


def _end(worker: Any, pools: Any) -> None:
    with pools._lock:
        for workers in pools._workers.values():
            if worker in workers:
                workers.remove(worker)
    pools.kill_workers([worker])
