"""The daily figures of each owner as gauges. Pure."""

from typing import TYPE_CHECKING

from the_alchemiser.shared.gauges import Gauge, Unit
from the_alchemiser.shared.performance.rows import Performance

if TYPE_CHECKING:
    from decimal import Decimal


def build_gauges(performance: Performance) -> tuple[Gauge, ...]:
    """Return the figures of one owner, without those that are unknown: Exposure in percent of equity, others in USD."""
    exposure = performance.exposure
    figures: tuple[tuple[str, Decimal | None, Unit], ...] = (
        ("Exposure", None if exposure is None else exposure * 100, "Percent"),
        ("MarketValue", performance.market_value, "None"),
        ("RealisedPnl", performance.realised, "None"),
        ("UnrealisedPnl", performance.unrealised, "None"),
        ("Equity", None if performance.cash is None else performance.equity, "None"),
        ("Cash", performance.cash, "None"),
    )
    return tuple(Gauge(name, value, unit, performance.strategy) for name, value, unit in figures if value is not None)
