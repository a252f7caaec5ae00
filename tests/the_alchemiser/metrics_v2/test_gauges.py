from decimal import Decimal

import boto3
from botocore.stub import Stubber

from tests.the_alchemiser.metrics_v2.performance_store_contract import performance
from the_alchemiser.metrics_v2.gauges import CloudWatchGauges, Gauge, build_gauges


def test_gauges_account_without_equity_has_no_exposure() -> None:
    shown = build_gauges(performance("trend")._replace(equity=Decimal(0)))

    assert "Exposure" not in {gauge.name for gauge in shown}


def test_cloudwatch_gauges_carry_stage_and_strategy() -> None:
    client = boto3.client("cloudwatch", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    datum = {
        "MetricName": "Exposure",
        "Dimensions": [{"Name": "Stage", "Value": "prod"}, {"Name": "Strategy", "Value": "trend"}],
        "Value": 12.5,
        "Unit": "Percent",
    }
    with Stubber(client) as cloudwatch:
        cloudwatch.add_response("put_metric_data", {}, {"Namespace": "Alchemiser", "MetricData": [datum]})

        CloudWatchGauges(client, stage="prod").publish([Gauge("Exposure", "trend", Decimal("12.5"), "Percent")])

        cloudwatch.assert_no_pending_responses()
