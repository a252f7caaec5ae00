"""Expand SAM templates. Runs in SAM CLI's environment: the standard library, samtranslator and SAM CLI itself.

Argument: a JSON file, the list of templates, each with `template`, `parameters` and `digests`; AWS_DEFAULT_REGION is
the region. stdout: JSON, for each template `{"template": …}` or `{"errors": […]}`.
"""

import atexit
import gc
import json
import sys
from pathlib import Path
from typing import Any

gc.disable()  # the process ends before what it creates fills the memory
atexit.register(gc.freeze)  # otherwise Python looks for cycles among all objects before it ends, for 0.05 s
# boto3, which samtranslator imports, works without these. Nothing is asked of AWS here, and they take 0.1 s to load.
sys.modules.update(dict.fromkeys(("awscrt", "OpenSSL")))  # type: ignore[arg-type]  # None means that it is missing

# The types of these packages are unknown here, since they are installed in SAM CLI's environment only.
from samtranslator.translator.arn_generator import ArnGenerator  # type: ignore[import-not-found]  # noqa: E402
from samtranslator.translator.transform import transform  # type: ignore[import-not-found]  # noqa: E402

SERVERLESS = "AWS::Serverless-2016-10-31"
LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"
_CONTENT = "content"
_CODE = {
    "AWS::Serverless::Api": "DefinitionUri",
    "AWS::Serverless::HttpApi": "DefinitionUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}
_PLAIN_CODE = {"AWS::Lambda::Function": "Code", "AWS::Lambda::LayerVersion": "Content"}
_POINTED = {"AWS::Serverless::Application", "AWS::Serverless::Function", *_CODE, *_PLAIN_CODE}


class ManagedPolicies:
    """The ARNs of the managed policies that samtranslator's own list lacks; to ask IAM would need credentials."""

    def load(self) -> "ManagedPolicies":
        return self

    def get(self, name: str) -> str:
        return str(ArnGenerator.generate_aws_managed_policy_arn(name))


def expand(template: dict[str, Any], parameters: dict[str, str], digests: dict[str, str]) -> dict[str, Any]:
    """Return the CloudFormation template.

    Raises:
        Exception: SAM refuses the template; its `causes` say why.
    """
    transforms = transforms_of(template)
    if LANGUAGE_EXTENSIONS in transforms:
        template = extended(template, parameters)
    point_to_content(template, digests)
    if SERVERLESS in transforms:
        template = transform(template, parameters, ManagedPolicies(), passthrough_metadata=True)
    return template


def extended(template: dict[str, Any], parameters: dict[str, str]) -> dict[str, Any]:
    """Return the template without `AWS::LanguageExtensions`; an older SAM CLI cannot process them."""
    try:
        # Few templates need it.
        from samcli.lib.cfn_language_extensions import (  # type: ignore[import-not-found]  # noqa: PLC0415
            sam_integration,
        )
    except ImportError:
        return template
    processed: dict[str, Any] = sam_integration.process_template_for_sam_cli(template, parameter_values=parameters)
    return processed


def transforms_of(template: dict[str, Any]) -> list[Any]:
    transforms = template.get("Transform") or []
    return transforms if isinstance(transforms, list) else [transforms]


def point_to_content(template: dict[str, Any], digests: dict[str, str]) -> None:
    """Replace local paths, which samtranslator refuses, by locations that name the content."""
    inherited = (template.get("Globals") or {}).get("Function") or {}
    for logical_id, resource in template["Resources"].items():
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            continue
        kind = resource["Type"]
        if kind in _POINTED:
            digest, is_named = digests.get(logical_id, logical_id), logical_id in digests
            properties = resource["Properties"] = resource.get("Properties") or {}
            point(kind, properties, {**inherited, **properties}, digest, is_named=is_named)


def point(kind: str, properties: dict[str, Any], merged: dict[str, Any], digest: str, *, is_named: bool) -> None:
    """Replace the location in the properties of one resource; `merged` has what it inherits from the Globals too."""
    if kind == "AWS::Serverless::Function":
        point_function(properties, merged, digest, is_named=is_named)
    elif kind == "AWS::Serverless::Application":
        name_application(properties)
    elif kind in _CODE and needs_content(properties.get(_CODE[kind]), is_named=is_named):
        properties[_CODE[kind]] = f"s3://{_CONTENT}/{digest}"
    elif kind in _PLAIN_CODE and needs_content(properties.get(_PLAIN_CODE[kind]), is_named=is_named):
        properties[_PLAIN_CODE[kind]] = {"S3Bucket": _CONTENT, "S3Key": digest}


def point_function(properties: dict[str, Any], merged: dict[str, Any], digest: str, *, is_named: bool) -> None:
    """Replace the location of a function's code; without any it is the project's own folder."""
    if "InlineCode" in merged:
        return
    if merged.get("PackageType") == "Image":
        if "ImageUri" not in merged or is_named:
            properties["ImageUri"] = f"{_CONTENT}:{digest}"
    elif "CodeUri" not in merged or needs_content(merged["CodeUri"], is_named=is_named):
        properties["CodeUri"] = f"s3://{_CONTENT}/{digest}"


def needs_content(location: Any, *, is_named: bool) -> bool:
    """Return whether a location is a local path, or one of code whose digest is given; inline code is neither."""
    if isinstance(location, dict) and ("ZipFile" in location or "ImageUri" in location):
        return False
    is_path = isinstance(location, str) and "://" not in location
    # SAM CLI takes a path that is made from parameters, samtranslator does not.
    is_made_path = isinstance(location, dict) and any(name == "Ref" or name.startswith("Fn::") for name in location)
    return location is not None and (is_named or is_path or is_made_path)


def name_application(properties: dict[str, Any]) -> None:
    """Name the version of a published application, so that samtranslator does not ask AWS for its template."""
    location = properties.get("Location")
    if isinstance(location, dict):
        properties["Location"] = json.dumps(location, sort_keys=True)


def errors_of(failure: Exception) -> list[str]:
    """Return the reasons of SAM's own exceptions; any other exception is named."""
    causes = getattr(failure, "causes", None) or [failure]
    return [getattr(cause, "message", None) or f"{type(cause).__name__}: {cause}" for cause in causes]


def main(request: str) -> None:
    """Read a request file and print its answers as JSON."""
    answers: list[dict[str, Any]] = []
    for entry in json.loads(Path(request).read_text(encoding="utf-8")):
        try:
            answers.append({"template": expand(entry["template"], entry["parameters"], entry["digests"])})
        except Exception as failure:
            answers.append({"errors": errors_of(failure)})
    json.dump(answers, sys.stdout)


main(sys.argv[1])
