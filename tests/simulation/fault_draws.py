"""Draws the faults of a history. Every draw depends only on the seed and on its own key, so that muting one fault does
not change the others."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from tests.simulation.scenario import FaultKind, FaultPlan

_RANGE = 2**32


@dataclass(slots=True)
class FaultDraws:
    """The draws of one history; `fired` holds the kind of every fault that happened, by key, in order."""

    seed: int
    plan: FaultPlan
    fired: dict[str, FaultKind] = field(default_factory=dict)

    def draw(self, key: str, kinds: Sequence[FaultKind]) -> FaultKind | None:
        """Return the fault that happens at this point, or None.

        Args:
            key: names the point: function, number of its invocation, number of the call; or queue and message.
            kinds: the faults that are possible at this point.
        """
        plan = self.plan
        if len(self.fired) >= plan.budget or not _is_allowed(key, plan):
            return None

        left, rates = _fraction(f"{self.seed}/{key}"), plan.rates
        for kind in kinds:
            if kind in rates:
                left -= rates[kind]
            if left < 0:
                self.fired[key] = kind
                return kind
        return None


def _is_allowed(key: str, plan: FaultPlan) -> bool:
    is_focused = key.startswith((plan.focus, "queue/"))
    return is_focused if plan.only is None else key in plan.only


def _fraction(text: str) -> float:
    """Return a number in [0, 1) that depends on the whole text. A linear checksum would tie draws to each other."""
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest()) / _RANGE
