"""Public layers are known by account and name, by a public parameter or by the application that publishes them."""

from collections.abc import Mapping
from typing import Any

import pytest

from automation.lambda_runtime import public_layers

NO_RESOURCES: Mapping[str, Mapping[str, Any]] = {}
REGION = "arn:aws:lambda:us-east-1"


@pytest.mark.parametrize(
    ("expression", "module"),
    [
        (f"{REGION}:017000801446:layer:AWSLambdaPowertoolsPythonV3-python312-x86_64:7", "aws_lambda_powertools"),
        (f"{REGION}:017000801446:layer:AWSLambdaPowertoolsPythonV2:78", "pydantic"),
        (
            "{'Fn::Sub': 'arn:aws:lambda:${AWS::Region}:017000801446:layer:AWSLambdaPowertoolsPythonV3-py-${Arch}:7'}",
            "aws_xray_sdk",
        ),
        ("{{resolve:ssm:/aws/service/powertools/python/arm64/python3.13/latest}}", "aws_lambda_powertools"),
        (f"{REGION}:464622532012:layer:Datadog-Python312-ARM:114", "datadog_lambda"),
        (f"{REGION}:451483290750:layer:NewRelicPython312:80", "newrelic"),
        (f"{REGION}:943013980633:layer:SentryPythonServerlessSDK:76", "sentry_sdk"),
        (f"{REGION}:114300393969:layer:lumigo-python-tracer:252", "lumigo_tracer"),
        (f"{REGION}:336392948345:layer:AWSSDKPandas-Python312:15", "pandas"),
        (f"{REGION}:901920570463:layer:aws-otel-python-amd64-ver-1-29-0:1", "opentelemetry"),
        (f"{REGION}:615299751070:layer:AWSOpenTelemetryDistroPython:28", "opentelemetry"),
        (f"{REGION}:267093732750:layer:elastic-apm-python-ver-6-25-0:1", "elasticapm"),
        ("{'Fn::Sub': 'arn:aws:lambda:us-east-1:${Account}:layer:Datadog-Python312:1'}", "datadog_lambda"),
    ],
)
def test_known_layer_brings_its_modules(expression: str, module: str) -> None:
    layer = public_layers.known(expression, NO_RESOURCES)

    assert layer is not None
    assert module in layer.brings


@pytest.mark.parametrize(
    ("expression", "is_complete"),
    [
        (f"{REGION}:017000801446:layer:AWSLambdaPowertoolsPythonV3-python312-x86_64:7", True),
        (f"{REGION}:753240598075:layer:LambdaAdapterLayerArm64:24", True),
        (f"{REGION}:580247275435:layer:LambdaInsightsExtension:49", True),
        ("arn:aws:lambda:eu-west-1:015030872274:layer:AWS-Parameters-and-Secrets-Lambda-Extension-Arm64:11", True),
        (f"{REGION}:464622532012:layer:Datadog-Extension-ARM:67", True),
        (f"{REGION}:464622532012:layer:Datadog-Python312:114", False),
        (f"{REGION}:336392948345:layer:AWSSDKPandas-Python312:15", False),
    ],
)
def test_known_layer_is_complete_if_all_its_modules_are_known(expression: str, is_complete: bool) -> None:
    layer = public_layers.known(expression, NO_RESOURCES)

    assert layer is not None
    assert layer.is_complete is is_complete


@pytest.mark.parametrize(
    "expression",
    [
        f"{REGION}:123456789012:layer:shared:3",
        f"{REGION}:123456789012:layer:AWSLambdaPowertoolsPythonV3-python312-x86_64:7",
        f"{REGION}:123456789012:layer:my-NewRelicPython312:7",
        "{'Ref': 'LayerArn'}",
        "{'Fn::ImportValue': 'AWSLambdaPowertoolsPython'}",
        f"['{REGION}:464622532012:layer:Datadog-Python312:1', '{REGION}:451483290750:layer:NewRelicPython312:1']",
    ],
)
def test_known_layer_of_another_account_or_name_is_none(expression: str) -> None:
    assert public_layers.known(expression, NO_RESOURCES) is None


def test_known_layer_of_a_published_application_is_found() -> None:
    application = "arn:aws:serverlessrepo:eu-west-1:057560766410:applications/aws-lambda-powertools-python-layer"
    location = {"ApplicationId": application}
    resources: dict[str, dict[str, Any]] = {
        "Tools": {"Type": "AWS::Serverless::Application", "Properties": {"Location": location}},
        "Other": {"Type": "AWS::Serverless::Application", "Properties": {"Location": "child/template.yaml"}},
        "Empty": {"Type": "AWS::Serverless::Application"},
    }

    layer = public_layers.known("{'Fn::GetAtt': ['Tools', 'Outputs.LayerVersionArn']}", resources)

    assert layer is not None
    assert "aws_lambda_powertools" in layer.brings
    assert public_layers.known("{'Fn::GetAtt': ['Other', 'Outputs.LayerVersionArn']}", resources) is None
    assert public_layers.known("{'Fn::GetAtt': ['Empty', 'Outputs.LayerVersionArn']}", resources) is None


@pytest.mark.parametrize(
    ("expression", "label"),
    [
        (f"{REGION}:123456789012:layer:shared:3", f"{REGION}:123456789012:layer:shared:3"),
        ("{'Fn::Sub': 'arn:aws:lambda:${AWS::Region}:123456789012:layer:shared:3'}", "shared:3"),
        ("{'Fn::Sub': ['arn:aws:lambda:${R}:1:layer:shared:${V}', {'R': 'x'}]}", "shared:${V}"),
        ("{'Fn::GetAtt': ['Tools', 'Outputs.Arn']}", "!GetAtt Tools.Outputs.Arn"),
        ("{'Ref': 'LayerArn'}", "!Ref LayerArn"),
        ("{'Fn::ImportValue': 'shared-layer'}", "!ImportValue shared-layer"),
        ("{'Fn::ImportValue': {'Fn::Sub': '${Stage}-layer'}}", "{'Fn::ImportValue': {'Fn::Sub': '${Stage}-layer'}}"),
        ("{strange", "{strange"),
    ],
)
def test_label_of_a_layer_is_what_a_person_writes(expression: str, label: str) -> None:
    assert public_layers.label(expression) == label
