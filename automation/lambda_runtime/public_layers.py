"""Public layers that a template names by ARN: which modules they bring. Known by account and name."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from automation.project import intrinsics

_ARN = re.compile(r":(\d{12}|[^:'\"]*\$\{[^}]*\}|[^:'\"]*):layer:([A-Za-z0-9_-]+)")
_SERVERLESS_REPOSITORY = "AWS::Serverless::Application"


@dataclass(frozen=True, slots=True)
class PublicLayer:
    """A layer that its publisher documents.

    Attributes:
        prefix: how its names begin.
        accounts: the accounts that publish it; empty when each region has its own.
        marks: texts that name it in other ways: a public parameter, an application.
        brings: the modules that it certainly has.
        is_complete: it has no other modules.
    """

    prefix: str
    accounts: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    brings: frozenset[str] = frozenset()
    is_complete: bool = False


_POWERTOOLS = frozenset(
    {
        "annotated_types",
        "attr",
        "attrs",
        "aws_encryption_sdk",
        "aws_lambda_powertools",
        "aws_xray_sdk",
        "cffi",
        "cryptography",
        "dotenv",
        "fastjsonschema",
        "jsonpath_ng",
        "jwt",
        "pycparser",
        "pydantic",
        "pydantic_core",
        "pydantic_settings",
        "typing_extensions",
        "typing_inspection",
        "wrapt",
    }
)
_OPEN_TELEMETRY = frozenset({"opentelemetry", "typing_extensions", "wrapt"})
# Accounts and names: each publisher's documentation, as of 2026-11. Modules: what an installation of the published
# distribution has (Powertools: `aws-lambda-powertools[all]` 3, its documentation says that the layer has all extras).
_LAYERS = (
    PublicLayer(
        "AWSLambdaPowertoolsPython",
        ("017000801446",),
        ("/aws/service/powertools/python/", "/aws-lambda-powertools-python-layer"),
        _POWERTOOLS,
        is_complete=True,
    ),
    # Extensions and adapters, which have no Python modules.
    PublicLayer("LambdaAdapterLayer", ("753240598075", "041581134020", "069767869989"), is_complete=True),
    PublicLayer("LambdaInsightsExtension", is_complete=True),
    PublicLayer("AWS-Parameters-and-Secrets-Lambda-Extension", is_complete=True),
    PublicLayer("AWS-AppConfig-Extension", is_complete=True),
    PublicLayer("Datadog-Extension", ("464622532012", "002406178527", "417141415827"), is_complete=True),
    PublicLayer("elastic-apm-extension", ("267093732750",), is_complete=True),
    # Layers with more modules than those that are listed.
    PublicLayer(
        "Datadog-Python",
        ("464622532012", "002406178527", "417141415827"),
        ("the macro DatadogServerless",),
        brings=frozenset({"datadog", "datadog_lambda", "ddtrace", "wrapt"}),
    ),
    PublicLayer("NewRelicPython", ("451483290750",), brings=frozenset({"newrelic", "newrelic_lambda"})),
    PublicLayer(
        "SentryPythonServerlessSDK",
        ("943013980633",),
        brings=frozenset({"certifi", "sentry_sdk", "urllib3"}),
    ),
    PublicLayer("lumigo-python-tracer", ("114300393969",), brings=frozenset({"lumigo_core", "lumigo_tracer"})),
    PublicLayer("elastic-apm-python", ("267093732750",), brings=frozenset({"certifi", "elasticapm", "wrapt"})),
    PublicLayer("AWSOpenTelemetryDistroPython", brings=_OPEN_TELEMETRY),
    PublicLayer("aws-otel-python", ("901920570463",), brings=_OPEN_TELEMETRY),
    PublicLayer(
        "AWSSDKPandas-Python",
        ("336392948345",),
        ("/aws/service/aws-sdk-pandas/",),
        brings=frozenset({"awswrangler", "numpy", "packaging", "pandas", "pyarrow", "typing_extensions"}),
    ),
    PublicLayer(
        "AWSDataWrangler-Python", ("336392948345",), brings=frozenset({"awswrangler", "numpy", "pandas", "pyarrow"})
    ),
)


def known(
    expression: str,
    resources: Mapping[str, Mapping[str, Any]],
    *,
    mappings: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> PublicLayer | None:
    """Return the public layer that an entry of Layers names; None when it is unknown, or names more than one.

    Args:
        expression: the entry as text, with or without intrinsics.
        resources: those of its template, which may contain the application that publishes the layer.
        mappings: those of its template, which may name the layer by region.
    """
    layers = {_named_by(text, resources) for text in _looked_up(expression, mappings) or [expression]}
    return layers.pop() if len(layers) == 1 else None


def _looked_up(expression: str, mappings: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the values that a look-up in a mapping may give; none when the entry is another one."""
    match intrinsics.parse(expression):
        case {"Fn::FindInMap": [str() as name, _, str() as key, *_]}:
            rows = [row for row in mappings.get(name, {}).values() if isinstance(row, Mapping)]
            return [str(row[key]) for row in rows if key in row]
    return []


def _named_by(expression: str, resources: Mapping[str, Mapping[str, Any]]) -> PublicLayer | None:
    candidates = [*_by_arn(expression), *_by_mark(_with_applications(expression, resources))]
    is_single = len(_ARN.findall(expression)) <= 1
    return candidates[0] if candidates and is_single else None


def label(expression: str) -> str:
    """Return an entry of Layers as a person writes it: an ARN as it is, `shared:3` of an ARN with intrinsics."""
    named = re.search(r":layer:([^'\"]+)", expression)
    return named[1] if named and expression.startswith("{") else intrinsics.short_form(expression)


def _by_arn(expression: str) -> Iterator[PublicLayer]:
    for account, name in _ARN.findall(expression):
        for layer in _LAYERS:
            is_published = not account.isdigit() or not layer.accounts or account in layer.accounts
            if name.startswith(layer.prefix) and is_published:
                yield layer


def _by_mark(text: str) -> Iterator[PublicLayer]:
    for layer in _LAYERS:
        if any(mark in text for mark in layer.marks):
            yield layer


def _with_applications(expression: str, resources: Mapping[str, Mapping[str, Any]]) -> str:
    """Return an expression, and the location of each published application that it refers to."""
    locations = [
        str((resource.get("Properties") or {}).get("Location"))
        for name, resource in resources.items()
        if resource.get("Type") == _SERVERLESS_REPOSITORY and re.search(rf"\b{re.escape(name)}\b", expression)
    ]
    return " ".join([expression, *locations])
