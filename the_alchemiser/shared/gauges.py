"""Figures as CloudWatch metrics. Publishing them again is harmless.

The data have no time stamp of their own, because CloudWatch refuses data older than two weeks, and a simulated trading
date is older. So they appear at the time of publishing, and only the latest figures may be published.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, Protocol

from the_alchemiser.shared.records import Frozen

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import DimensionTypeDef

NAMESPACE = "Alchemiser"
MAX_DATA_PER_CALL = 1000  # a limit of PutMetricData

Unit = Literal["Count", "Percent", "None"]
"""USD has the unit None: CloudWatch knows no currencies."""


class Gauge(Frozen):
    """One figure of a strategy, or of the whole stage when `strategy` is None."""

    name: str
    value: Decimal
    unit: Unit
    strategy: str | None = None


class Gauges(Protocol):
    """A service that displays figures."""

    def publish(self, figures: Sequence[Gauge]) -> None:
        """Publish figures, which are the latest of their names."""
        ...


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
                    "Dimensions": self._dimensions(figure),
                    "Value": float(figure.value),
                    "Unit": figure.unit,
                }
                for figure in figures
            ],
        )

    def _dimensions(self, figure: Gauge) -> "list[DimensionTypeDef]":
        dimensions: list[DimensionTypeDef] = [{"Name": "Stage", "Value": self._stage}]
        if figure.strategy is not None:
            dimensions.append({"Name": "Strategy", "Value": figure.strategy})
        return dimensions
