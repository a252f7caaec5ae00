"""Outgoing calls of a function: each takes time, and the seed may let it fail or kill the function at it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from greenlet import GreenletExit

from tests.simulation.latencies import SECOND, Legs
from tests.simulation.scenario import CALL_FAULTS, FaultKind
from tests.simulation.world import Invocation, World

type Show = Callable[[Any], str]

_BACKOFF = SECOND
_BEFORE = frozenset({FaultKind.FAIL_BEFORE, FaultKind.THROTTLE, FaultKind.TIMEOUT_BEFORE})
TIMEOUTS = frozenset({FaultKind.TIMEOUT_BEFORE, FaultKind.TIMEOUT_AFTER, FaultKind.LATE_EFFECT})
_AFTER = frozenset({FaultKind.FAIL_AFTER, FaultKind.TIMEOUT_AFTER})


class Port(NamedTuple):
    """How calls to one service fail.

    Attributes:
        attempts: how often the client's library itself sends a request.
        limit: microseconds after which the client gives up waiting.
        error: returns what the client raises for a fault of an operation.
        is_partial: the service throttles by taking only a part of a request.
    """

    service: str
    attempts: int
    limit: int
    error: Callable[[str, FaultKind], Exception]
    is_partial: bool = False


def call[T](
    world: World, port: Port, operation: str, effect: Callable[[], T], *, subject: str = "", show: Show | None = None
) -> T:
    """Make an outgoing call of the running invocation.

    Args:
        effect: what the service does; it may raise the answer of a refused request.
        subject: what the call is about, for the trace.
        show: returns what the trace says of an answer; None for `ok`.

    Raises:
        GreenletExit: the invocation has been killed.
        Exception: what the client raises for the fault, or what the effect raised.
    """
    invocation = world.current
    if invocation is None:
        return effect()  # nothing runs: the history is being prepared, or read at its end
    if invocation.is_over or world.is_closed:
        raise GreenletExit  # it is being unwound

    invocation.calls += 1
    key = f"{invocation.module}/{invocation.name}/{invocation.calls}"
    point = f"{port.service}.{operation} {subject}" if subject else f"{port.service}.{operation}"
    fault = world.draws.draw(key, CALL_FAULTS)
    return _Call(world, invocation, port, operation, point, key, fault, show).make(effect)


@dataclass(slots=True)
class _Call:
    """One outgoing call with its fault."""

    world: World
    invocation: Invocation
    port: Port
    operation: str
    point: str
    key: str
    fault: FaultKind | None
    show: Show | None

    def make[T](self, effect: Callable[[], T]) -> T:
        world, fault = self.world, self.fault
        if fault is None:
            return self._attempt(effect, self.key, None)
        if fault is FaultKind.KILL_BEFORE:
            world.kill(self.invocation, self.point, fault)

        # In half of the draws only the first attempt fails: then the library's own repetition is what counts.
        lasting = world.latencies.fraction(f"{self.key}/lasts") < 0.5
        for attempt in range(1, self.port.attempts + 1):
            key = self.key if attempt == 1 else f"{self.key}/{attempt}"
            try:
                return self._attempt(effect, key, fault if attempt == 1 or lasting else None)
            except _FaultError as failure:
                if attempt == self.port.attempts:
                    raise failure.error from None
            world.wait(world.latencies.between(f"{key}/backoff", 1, _BACKOFF << (attempt - 1)))
        raise AssertionError("a port has at least one attempt")

    def _attempt[T](self, effect: Callable[[], T], key: str, fault: FaultKind | None) -> T:
        world = self.world
        legs = world.latencies.legs(key)
        answered_after = legs.answer if fault is None else self._disturb(effect, key, fault, legs)
        arrival = _Arrival(self, effect, fault, answered_after)
        world.schedule(world.now + legs.request, arrival.happen)
        world.suspend()

        if fault in _AFTER:
            raise _FaultError(self._error(fault))
        label = fault.value if fault is not None else ""
        if arrival.error is not None:
            world.note_of(self.invocation, self.point, label, _short(arrival.error))
            raise arrival.error
        shown = "ok" if self.show is None else self.show(arrival.result)
        world.note_of(self.invocation, self.point, label, shown)
        return arrival.result  # type: ignore[no-any-return]

    def _disturb(self, effect: Callable[[], Any], key: str, fault: FaultKind, legs: Legs) -> int:
        """Let the fault happen, as far as it comes before the request; return how long the answer takes.

        Raises:
            _FaultError: no request is sent, or nobody waits for its answer.
        """
        world = self.world
        stall_before, stall_after = self._stalls(key, fault)
        if stall_before:
            world.wait(stall_before)
        if fault in _BEFORE and not self._is_partial(fault):
            world.wait(legs.request)
            self._fail(fault, legs)
        if fault is FaultKind.LATE_EFFECT:
            self._take_effect_late(effect, key)
        return self._answered_after(fault, legs) + stall_after

    def _take_effect_late(self, effect: Callable[[], Any], key: str) -> NoReturn:
        """Let the client give up waiting, while the request is still on its way."""
        world = self.world
        late = world.latencies.between(f"{key}/late", SECOND // 10, 20 * SECOND)
        world.schedule(world.now + self.port.limit + late, _Arrival(self, effect, None, None).happen)
        world.wait(self.port.limit)
        raise _FaultError(self._error(FaultKind.LATE_EFFECT))

    def _is_partial(self, fault: FaultKind | None) -> bool:
        return fault is FaultKind.THROTTLE and self.port.is_partial

    def _stalls(self, key: str, fault: FaultKind) -> tuple[int, int]:
        """Return for how long the function stands still before it sends the request, and after the answer."""
        if fault is not FaultKind.STALL:
            return 0, 0
        latencies = self.world.latencies
        stall = latencies.between(f"{key}/stall", 5 * SECOND, int(self.invocation.visibility * 1.2))
        return (stall, 0) if latencies.fraction(f"{key}/before") < 0.5 else (0, stall)

    def _answered_after(self, fault: FaultKind, legs: Legs) -> int:
        if fault is FaultKind.TIMEOUT_AFTER:
            return max(self.port.limit - legs.request, 0)
        return legs.answer

    def _fail(self, fault: FaultKind, legs: Legs) -> NoReturn:
        timed_out = fault is FaultKind.TIMEOUT_BEFORE
        self.world.wait(max(self.port.limit - legs.request, 0) if timed_out else legs.answer)
        raise _FaultError(self._error(fault))

    def _error(self, fault: FaultKind) -> Exception:
        error = self.port.error(self.operation, fault)
        self.world.note_of(self.invocation, self.point, fault.value, _short(error))
        return error


class _Arrival:
    """A request on its way: it takes effect when it arrives, even if its sender has died by then.

    Args:
        answered_after: microseconds from there until the answer arrives; None when nobody waits for it.
    """

    __slots__ = ("_answered_after", "_call", "_effect", "_fault", "error", "result")

    def __init__(
        self, call: _Call, effect: Callable[[], Any], fault: FaultKind | None, answered_after: int | None
    ) -> None:
        self._call = call
        self._effect = effect
        self._fault = fault
        self._answered_after = answered_after
        self.result: Any = None
        self.error: Exception | None = None

    def happen(self) -> None:
        call, world, invocation = self._call, self._call.world, self._call.invocation
        world.current, world.is_partial = invocation, call._is_partial(self._fault)
        try:
            self.result = self._effect()
        except Exception as refusal:  # a refused request is an answer too: it takes its way back
            self.error = refusal
        finally:
            world.current, world.is_partial = None, False

        if self._answered_after is None:
            world.note_of(invocation, call.point, "", "takes effect after its time-out")
        elif invocation.is_over:
            world.note_of(invocation, call.point, "", "takes effect after its function died")
        elif self._fault is FaultKind.KILL_AFTER:
            world.end_killed(invocation, call.point, self._fault)
        else:
            world.schedule(world.now + self._answered_after, lambda: world.resume(invocation))


class _FaultError(Exception):
    """A fault of the wire, which the client's library may try to overcome."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def _short(error: Exception) -> str:
    response: Any = getattr(error, "response", None)
    if isinstance(response, dict):
        return str(response["Error"]["Code"])
    return type(error).__name__
