"""Keeping the figures of a completed run: rows of the Performance table, and gauges. It publishes no message.

The ledger is ordered by symbol and has no list of its symbols, so this module keeps the set of all symbols ever traded.
Each completed run adds the symbols of its outcomes, positions and weights, in one atomic update that also returns the
set. Adding is idempotent and works in any order, so runs that arrive late or twice are harmless.

A symbol that only failed runs traded is in the positions of the next completed run. It is missed if failed runs bought
and sold all of it, until it is traded again.
"""

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Protocol

from the_alchemiser.metrics_v2.gauges import build_gauges
from the_alchemiser.metrics_v2.performance import compute_performances
from the_alchemiser.shared.broker.account_check import require_account
from the_alchemiser.shared.broker.models import Account, Activity
from the_alchemiser.shared.corporate_actions import CorporateActions
from the_alchemiser.shared.gauges import Gauge, Gauges
from the_alchemiser.shared.ledger.ledger import Ledger
from the_alchemiser.shared.messaging.messages import RunCompleted
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.performance.rows import Performance
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.threads import map_in_threads

MODULE = "metrics_v2"


class PerformanceStore(Protocol):
    """A store of the figures of every owner, by date."""

    def add_traded(self, symbols: Iterable[str]) -> frozenset[str]:
        """Add symbols to those ever traded, and return all of them. Idempotent."""
        ...

    def put(self, performance: Performance) -> bool:
        """Store the figures under their date and as the latest, each unless a later run's are stored there. Idempotent.

        Returns:
            True when they are the latest.
        """
        ...


class Brokerage(Protocol):
    """The broker, as this module needs it: read only."""

    def account(self) -> Account: ...
    def activities(self) -> tuple[Activity, ...]: ...


class Accountant(Frozen):
    """Computes and stores the figures of completed runs. Idempotent.

    Attributes:
        actions: returns the known corporate actions.
        account: the number of the account that the environment trades; empty for any.
    """

    ledger: Ledger
    performances: PerformanceStore
    gauges: Gauges
    actions: Callable[[], CorporateActions]
    broker: Brokerage
    account: str = ""

    def handle(self, run: RunCompleted) -> Reaction:
        """Compute and store the figures of every owner. Publish those that are the latest.

        Raises:
            CorporateActionsMalformedError, StateUnavailableError: the corporate actions cannot be read.
            BrokerUnavailableError, WrongAccountError: the activities of the account cannot be read.
        """
        actions = self.actions()
        require_account(self.broker.account(), self.account)
        activities = self.broker.activities()
        traded = self.performances.add_traded(symbols_in_run(run))
        # In threads: one after the other, hundreds of symbols and strategies may take longer than the function has.
        fills = map_in_threads(self.ledger.entries_of, traded)
        computed = compute_performances(run, chain.from_iterable(fills.values()), actions, activities)
        performances = {performance.strategy: performance for performance in computed}
        is_latest = map_in_threads(lambda strategy: self.performances.put(performances[strategy]), performances)

        gauges: list[Gauge] = []
        for strategy, performance in performances.items():
            if is_latest[strategy]:
                gauges.extend(build_gauges(performance))
        self.gauges.publish(gauges)
        return Reaction()


def symbols_in_run(run: RunCompleted) -> frozenset[str]:
    """Return every symbol in the run's target weights, trades or positions."""
    outcomes = (outcome.symbol for outcome in run.outcomes)
    return frozenset({*outcomes, *(mark.symbol for mark in run.positions), *run.weights})
