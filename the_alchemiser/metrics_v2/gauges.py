"""The daily figures as CloudWatch gauges: publishing them again says the same thing again.

They carry no time of their own: CloudWatch refuses what is older than two weeks, and a simulated trading date is. So
only the latest run's figures are ever shown, at the time they arrive.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, NamedTuple

from the_alchemiser.metrics_v2.performance import Performance

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

NAMESPACE = "Alchemiser"
DATA_AT_MOST = 1000  # metric data a call of PutMetricData


class Gauge(NamedTuple):
    """One figure: Exposure in percent of equity, everything else in USD, for which CloudWatch has no unit."""

    name: str
    strategy: str
    value: Decimal
    unit: Literal["Percent", "None"]


def gauges(performance: Performance) -> tuple[Gauge, ...]:
    """The figures of one performance; what is not known has no gauge."""
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
    """Gauges in CloudWatch, by stage and strategy; grant: cloudwatch:PutMetricData for the namespace."""

    def __init__(self, client: "CloudWatchClient", *, stage: str) -> None:
        self._client = client
        self._stage = stage

    def publish(self, figures: Sequence[Gauge]) -> None:
        """Put all."""
        for start in range(0, len(figures), DATA_AT_MOST):
            self._put(figures[start : start + DATA_AT_MOST])

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
