"""Public layers are known by account and name, by a public parameter or by the application that publishes them."""

from collections.abc import Mapping
from typing import Any

import pytest

from automation.lambda_runtime import public_layers

NO_RESOURCES: Mapping[str, Mapping[str, Any]] = {}
REGION = "arn:aws:lambda:us-east-1"


POWERTOOLS = (
    "annotated_types attr attrs aws_encryption_sdk aws_lambda_powertools aws_xray_sdk cffi cryptography dotenv "
    "fastjsonschema jsonpath_ng jwt pycparser pydantic pydantic_core pydantic_settings typing_extensions "
    "typing_inspection wrapt"
)
DATADOG = "datadog datadog_lambda ddtrace wrapt"
OPEN_TELEMETRY = "opentelemetry typing_extensions wrapt"


@pytest.mark.parametrize(
    ("expression", "modules"),
    [
        (f"{REGION}:017000801446:layer:AWSLambdaPowertoolsPythonV3-python312-x86_64:7", POWERTOOLS),
        (f"{REGION}:017000801446:layer:AWSLambdaPowertoolsPythonV2:78", POWERTOOLS),
        (
            "{'Fn::Sub': 'arn:aws:lambda:${AWS::Region}:017000801446:layer:AWSLambdaPowertoolsPythonV3-py-${Arch}:7'}",
            POWERTOOLS,
        ),
        ("{{resolve:ssm:/aws/service/powertools/python/arm64/python3.13/latest}}", POWERTOOLS),
        (f"{REGION}:464622532012:layer:Datadog-Python312-ARM:114", DATADOG),
        ("arn:aws-us-gov:lambda:us-gov-west-1:002406178527:layer:Datadog-Python312:114", DATADOG),
        (f"{REGION}:417141415827:layer:Datadog-Python312:114", DATADOG),
        ("{'Fn::Sub': 'arn:aws:lambda:us-east-1:${Account}:layer:Datadog-Python312:1'}", DATADOG),
        (f"{REGION}:451483290750:layer:NewRelicPython312:80", "newrelic newrelic_lambda"),
        (f"{REGION}:943013980633:layer:SentryPythonServerlessSDK:76", "certifi sentry_sdk urllib3"),
        (f"{REGION}:114300393969:layer:lumigo-python-tracer:252", "lumigo_core lumigo_tracer"),
        (
            f"{REGION}:336392948345:layer:AWSSDKPandas-Python312:15",
            "awswrangler numpy packaging pandas pyarrow typing_extensions",
        ),
        (
            "{{resolve:ssm:/aws/service/aws-sdk-pandas/3.9.1/py3.12/x86_64/layer-arn}}",
            "awswrangler numpy packaging pandas pyarrow typing_extensions",
        ),
        (f"{REGION}:336392948345:layer:AWSDataWrangler-Python39:9", "awswrangler numpy pandas pyarrow"),
        (f"{REGION}:901920570463:layer:aws-otel-python-amd64-ver-1-29-0:1", OPEN_TELEMETRY),
        (f"{REGION}:615299751070:layer:AWSOpenTelemetryDistroPython:28", OPEN_TELEMETRY),
        (f"{REGION}:267093732750:layer:elastic-apm-python-ver-6-25-0:1", "certifi elasticapm wrapt"),
    ],
)
def test_known_layer_brings_its_modules(expression: str, modules: str) -> None:
    layer = public_layers.known(expression, NO_RESOURCES)

    assert layer is not None
    assert layer.brings == set(modules.split())
    assert layer.is_complete is (modules == POWERTOOLS)


@pytest.mark.parametrize(
    "layer_arn",
    [
        f"{REGION}:753240598075:layer:LambdaAdapterLayerArm64:24",
        "arn:aws-cn:lambda:cn-north-1:041581134020:layer:LambdaAdapterLayerX86:24",
        f"{REGION}:069767869989:layer:LambdaAdapterLayerX86:24",
        f"{REGION}:580247275435:layer:LambdaInsightsExtension:49",
        "arn:aws:lambda:eu-west-1:015030872274:layer:AWS-Parameters-and-Secrets-Lambda-Extension-Arm64:11",
        "arn:aws:lambda:eu-west-1:434848589818:layer:AWS-AppConfig-Extension:130",
        f"{REGION}:464622532012:layer:Datadog-Extension-ARM:67",
        f"{REGION}:002406178527:layer:Datadog-Extension:67",
        f"{REGION}:417141415827:layer:Datadog-Extension:67",
        f"{REGION}:267093732750:layer:elastic-apm-extension-ver-1-5-8-x86_64:1",
    ],
)
def test_known_layer_of_an_extension_has_no_modules(layer_arn: str) -> None:
    layer = public_layers.known(layer_arn, NO_RESOURCES)

    assert layer is not None
    assert (layer.brings, layer.is_complete) == (frozenset(), True)


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


LOOKED_UP = "{'Fn::FindInMap': ['Regions', {'Ref': 'AWS::Region'}, 'Datadog']}"


@pytest.mark.parametrize(
    ("rows", "is_known"),
    [
        ({"a": {"Datadog": f"{REGION}:464622532012:layer:Datadog-Python312:1"}, "b": {"Other": "x"}}, True),
        (
            {
                "a": {"Datadog": f"{REGION}:464622532012:layer:Datadog-Python312:1"},
                "b": {"Datadog": "arn:aws-us-gov:lambda:x:002406178527:layer:Datadog-Python312-ARM:2"},
            },
            True,
        ),
        (
            {
                "a": {"Datadog": f"{REGION}:464622532012:layer:Datadog-Python312:1"},
                "b": {"Datadog": f"{REGION}:451483290750:layer:NewRelicPython312:80"},
            },
            False,
        ),
        ({"a": {"Datadog": f"{REGION}:123456789012:layer:shared:1"}}, False),
        ({"a": "text"}, False),
        ({}, False),
    ],
)
def test_known_layer_of_a_mapping_is_the_same_in_every_region(rows: dict[str, Any], is_known: bool) -> None:
    layer = public_layers.known(LOOKED_UP, NO_RESOURCES, mappings={"Regions": rows})

    assert (layer is not None) is is_known
    assert layer is None or "datadog_lambda" in layer.brings


@pytest.mark.parametrize(
    ("expression", "label"),
    [
        (f"{REGION}:123456789012:layer:shared:3", f"{REGION}:123456789012:layer:shared:3"),
        ("{'Fn::Sub': 'arn:aws:lambda:${AWS::Region}:123456789012:layer:shared:3'}", "shared:3"),
        ("{'Fn::Sub': ['arn:aws:lambda:${R}:1:layer:shared:${V}', {'R': 'x'}]}", "shared:${V}"),
        ("{'Fn::GetAtt': ['Tools', 'Outputs.Arn']}", "!GetAtt Tools.Outputs.Arn"),
        ("{'Ref': 'LayerArn'}", "!Ref LayerArn"),
        ("{'Fn::ImportValue': 'shared-layer'}", "!ImportValue shared-layer"),
        ("{'Fn::ImportValue': {'Fn::Sub': '${Stage}-layer'}}", "!ImportValue !Sub ${Stage}-layer"),
        ("{'Fn::FindInMap': ['Map', {'Ref': 'AWS::Region'}, 'Arn']}", "!FindInMap [Map, !Ref AWS::Region, Arn]"),
        ("{strange", "{strange"),
    ],
)
def test_label_of_a_layer_is_what_a_person_writes(expression: str, label: str) -> None:
    assert public_layers.label(expression) == label
