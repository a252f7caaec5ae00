"""RunCompleted in; rows of the Performance table and gauges out; nothing is published.

Which symbols' fills to read: the ledger is kept by symbol and has no list of them. Every fill belongs to a trade, and
every trade to a run that ended: its symbol stands among that run's outcomes, or, when the run failed half way, among
the positions of the next that completed (what failed runs alone bought and sold again is missed, until its symbol
is traded once more). So each run adds the symbols of its outcomes, positions and weights to one
set that only grows, in one atomic write that also returns it. Adding is the same in any order and any number of times,
which a list carried from LATEST row to LATEST row is not: a day told late could not add to it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from the_alchemiser.metrics_v2.gauges import Gauge, gauges
from the_alchemiser.metrics_v2.performance import Performance, performances
from the_alchemiser.shared.ledger.ledger import Ledger
from the_alchemiser.shared.messaging.inbox import Reaction
from the_alchemiser.shared.messaging.messages import RunCompleted

MODULE = "metrics_v2"


class Performances(Protocol):
    """Where performances are kept."""

    def add_traded(self, symbols: Iterable[str]) -> frozenset[str]:
        """Add to the symbols ever traded and return them all."""
        ...

    def put(self, performance: Performance) -> bool:
        """Keep it under its date and as the latest, each unless a later run's is there.

        Returns:
            Whether it is the latest now.
        """
        ...


class Gauges(Protocol):
    """Where the figures of the day are shown."""

    def publish(self, figures: Sequence[Gauge]) -> None: ...


@dataclass(frozen=True, slots=True)
class Accountant:
    """Keeps the figures of a run; doing it again writes the same."""

    ledger: Ledger
    performances: Performances
    gauges: Gauges

    def handle(self, run: RunCompleted) -> Reaction:
        """Compute every owner's figures, keep them, and show those that are the latest."""
        traded = self.performances.add_traded(symbols_of(run))
        entries = [entry for symbol in sorted(traded) for entry in self.ledger.entries_of(symbol)]
        latest = [performance for performance in performances(run, entries) if self.performances.put(performance)]
        self.gauges.publish([gauge for performance in latest for gauge in gauges(performance)])
        return Reaction()


def symbols_of(run: RunCompleted) -> frozenset[str]:
    """Every symbol the run wanted, traded or holds."""
    outcomes = (outcome.symbol for outcome in run.outcomes)
    return frozenset({*outcomes, *(mark.symbol for mark in run.positions), *run.weights})
