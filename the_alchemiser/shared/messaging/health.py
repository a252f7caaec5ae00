"""The answer to the health message: does the function reach everything that it needs?

The checks only read. They trade nothing, publish nothing and write nothing, so that a health message is harmless at any
time, also twice. They run one after another in a thread, so that a service that does not answer is named before Lambda
ends the function.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from the_alchemiser.shared import wall_clock
from the_alchemiser.shared.errors import SetupIncompleteError

# Only messages need this module. Health loads it too, so that a package that the artifact lacks is noticed at once.
from the_alchemiser.shared.messaging import delivery  # noqa: F401
from the_alchemiser.shared.messaging.messages import Message
from the_alchemiser.shared.messaging.wiring import Check, Inbox, logger
from the_alchemiser.shared.records import Frozen

LIMIT_S = 10.0
OK = "ok"
_MAX_CHARS = 600


class Result(Frozen):
    """The result of one check: `ok`, or what is wrong; `missing` is what a person has not set up yet."""

    text: str
    missing: str = ""

    @property
    def is_fault(self) -> bool:
        """Return whether the check failed for another reason than an incomplete set-up."""
        return self.text != OK and not self.missing


def check_health(
    inbox: Inbox, *, limit_s: float = LIMIT_S, clock: Callable[[], float] = wall_clock.monotonic
) -> dict[str, Any]:
    """Run every check of a module whose wiring is built, which means that its settings could be parsed.

    Args:
        limit_s: for all checks together, in seconds.

    Returns:
        `healthy`, false when a check failed; `checks`, by name `ok` or what is wrong; `incomplete`, what a person has
        not set up yet, such as a secret; the module's name, and the types that it consumes.
    """
    results = {"settings": Result(OK), **_run(_checks(inbox), limit_s, clock)}
    checks = {name: result.text for name, result in results.items()}
    missing = {result.missing for result in results.values() if result.missing}
    is_healthy = not any(result.is_fault for result in results.values())

    logger.info("health check", extra={"healthy": is_healthy, "checks": checks})
    return {
        "module": inbox.module,
        "healthy": is_healthy,
        "consumes": sorted(kind.__name__ for kind in inbox.handlers),
        "checks": checks,
        "incomplete": sorted(missing),
    }


def _checks(inbox: Inbox) -> Mapping[str, Check]:
    # Only messages are claimed; a module that consumes nothing but commands has no grant on the table.
    if not any(issubclass(kind, Message) for kind in inbox.handlers):
        return inbox.checks
    return {"claims table": inbox.claims.check, **inbox.checks}


def _run(checks: Mapping[str, Check], limit_s: float, clock: Callable[[], float]) -> Mapping[str, Result]:
    ends_at = clock() + limit_s
    results: dict[str, Result] = {}

    # One thread, because boto3 creates clients in its default session, which threads must not share.
    pool = ThreadPoolExecutor(1)
    for name, check in checks.items():
        future = pool.submit(check)
        if not wait([future], max(ends_at - clock(), 0)).done:
            results[name] = Result(f"no answer within {limit_s:g} s")
            break
        results[name] = _result(future.exception())

    pool.shutdown(wait=False, cancel_futures=True)
    return results | {name: Result("not checked") for name in checks if name not in results}


def _result(error: BaseException | None) -> Result:
    if error is None:
        return Result(OK)
    if isinstance(error, SetupIncompleteError):
        return Result(f"missing: {error}"[:_MAX_CHARS], error.missing)
    return Result(f"{type(error).__name__}: {error}"[:_MAX_CHARS])
