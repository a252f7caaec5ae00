from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from the_alchemiser.shared.gauges import MAX_DATA_PER_CALL, CloudWatchGauges, Gauge

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient


class Wall:
    """CloudWatch, stubbed; `expect` says which data the next call must carry."""

    def __init__(self, client: "CloudWatchClient", stubber: Stubber) -> None:
        self._gauges = CloudWatchGauges(client, stage="prod")
        self._stubber = stubber

    def expect(self, *data: dict[str, Any]) -> None:
        request = {"Namespace": "Alchemiser", "MetricData": list(data)}
        self._stubber.add_response("put_metric_data", {}, request)

    def publish(self, figures: Sequence[Gauge]) -> None:
        self._gauges.publish(figures)
        self._stubber.assert_no_pending_responses()


@pytest.fixture
def wall() -> Iterator[Wall]:
    client = boto3.client("cloudwatch", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    with Stubber(client) as stubber:
        yield Wall(client, stubber)


def datum(name: str, value: float, unit: str, **dimensions: str) -> dict[str, Any]:
    named = [{"Name": dimension, "Value": text} for dimension, text in dimensions.items()]
    return {"MetricName": name, "Dimensions": named, "Value": value, "Unit": unit}


def test_cloudwatch_gauges_of_a_strategy_carry_stage_and_strategy(wall: Wall) -> None:
    wall.expect(datum("Exposure", 12.5, "Percent", Stage="prod", Strategy="trend"))

    wall.publish([Gauge("Exposure", Decimal("12.5"), "Percent", "trend")])


def test_cloudwatch_gauges_of_the_stage_carry_only_the_stage(wall: Wall) -> None:
    wall.expect(datum("DaysWithoutRun", 1.0, "Count", Stage="prod"))

    wall.publish([Gauge("DaysWithoutRun", Decimal(1), "Count")])


def test_cloudwatch_gauges_without_figures_make_no_call(wall: Wall) -> None:
    wall.publish([])


def test_cloudwatch_gauges_above_the_limit_make_another_call(wall: Wall) -> None:
    last = MAX_DATA_PER_CALL
    wall.expect(*(datum("N", float(number), "None", Stage="prod") for number in range(last)))
    wall.expect(datum("N", float(last), "None", Stage="prod"))

    wall.publish([Gauge("N", Decimal(number), "None") for number in range(last + 1)])
