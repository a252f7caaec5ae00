"""The small book of the simulated histories: its functions' modules, its symbols, and where its strategies are."""

from pathlib import Path

STRATEGIES = Path(__file__).with_name("strategies")
"""The folder of the simulated book.toml and its strategy files."""

MODULES = (
    "coordinator_v2",
    "strategy_v2",
    "aggregator_v2",
    "portfolio_v2",
    "trade_aggregator",
    "execution_v2",
    "notifications_v2",
    "metrics_v2",
    "data_v2",
    "data_quality_monitor",
)

SYMBOLS = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "GGG", "HHH", "KKK", "LLL", "MMM", "NNN")
