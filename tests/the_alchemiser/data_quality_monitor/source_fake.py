"""A second source in memory: it has the bars that a test gives it, and fails as a test says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from the_alchemiser.data_quality_monitor.comparing import SecondBar
from the_alchemiser.data_quality_monitor.second_source import UnknownSymbolError
from the_alchemiser.shared.market_data.bars import Bars


@dataclass
class InMemorySource:
    """Attributes:
    asked: the symbols in the order of the requests, and whether each might wait.
    fails: errors by symbol; the key `*` is for every symbol.
    """

    served: dict[str, Mapping[date, SecondBar]] = field(default_factory=dict)
    fails: dict[str, Exception] = field(default_factory=dict)
    asked: list[tuple[str, bool]] = field(default_factory=list)

    def bars(self, symbol: str, start: date, end: date, *, may_wait: bool) -> Mapping[date, SecondBar]:
        self.asked.append((symbol, may_wait))
        failure = self.fails.get(symbol) or self.fails.get("*")
        if failure is not None:
            raise failure
        if symbol not in self.served:
            raise UnknownSymbolError(f"it has nothing for {symbol}: 404")
        return {day: bar for day, bar in self.served[symbol].items() if start <= day <= end}


def second_bars(history: Bars) -> dict[date, SecondBar]:
    """Return what a second source has when it agrees."""
    return {bar.date: SecondBar(bar.adjusted, bar.volume) for bar in history}
