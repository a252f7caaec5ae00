"""The daily figures as CloudWatch metrics. Publishing them again is harmless.

The data have no time stamp of their own, because CloudWatch refuses data older than two weeks, and a simulated trading
date is older. So only the figures of the latest run are published, and they appear at the time of publishing.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, NamedTuple

from the_alchemiser.metrics_v2.performance import Performance

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

NAMESPACE = "Alchemiser"
MAX_DATA_PER_CALL = 1000  # a limit of PutMetricData


class Gauge(NamedTuple):
    """One figure of one owner: Exposure in percent of equity, all others in USD, for which CloudWatch has no unit."""

    name: str
    strategy: str
    value: Decimal
    unit: Literal["Percent", "None"]


def build_gauges(performance: Performance) -> tuple[Gauge, ...]:
    """Return the figures of one owner as gauges, without those that are unknown."""
    exposure = performance.exposure
    figures: tuple[tuple[str, Decimal | None, Literal["Percent", "None"]], ...] = (
        ("Exposure", None if exposure is None else exposure * 100, "Percent"),
        ("MarketValue", performance.market_value, "None"),
        ("RealisedPnl", performance.realised, "None"),
        ("UnrealisedPnl", performance.unrealised, "None"),
        ("Equity", None if performance.cash is None else performance.equity, "None"),
        ("Cash", performance.cash, "None"),
    )
    return tuple(Gauge(name, performance.strategy, value, unit) for name, value, unit in figures if value is not None)


class CloudWatchGauges:
    """Gauges in CloudWatch, by stage and strategy. Grant: cloudwatch:PutMetricData for the namespace."""

    def __init__(self, client: "CloudWatchClient", *, stage: str) -> None:
        self._client = client
        self._stage = stage

    def publish(self, figures: Sequence[Gauge]) -> None:
        """Publish the figures."""
        for start in range(0, len(figures), MAX_DATA_PER_CALL):
            self._put(figures[start : start + MAX_DATA_PER_CALL])

    def _put(self, figures: Sequence[Gauge]) -> None:
        self._client.put_metric_data(
            Namespace=NAMESPACE,
            MetricData=[
                {
                    "MetricName": figure.name,
                    "Dimensions": [
                        {"Name": "Stage", "Value": self._stage},
                        {"Name": "Strategy", "Value": figure.strategy},
                    ],
                    "Value": float(figure.value),
                    "Unit": figure.unit,
                }
                for figure in figures
            ],
        )
