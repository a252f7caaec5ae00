"""A finished build as SAM expects it: a folder an artifact, and the template that names them.

Beside `template.yaml`, whose code folders SAM takes as its own build, lies `packed.json`, which names the zips: a
deployment from it packs nothing. It is JSON, which SAM parses natively, where its YAML parser is plain Python.
"""

import copy
import json
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from automation.building.store import Stored
from automation.project import templates
from automation.project.model import Stack
from automation.system import files

TEMPLATE = "template.yaml"
PACKED = "packed.json"
ZIPS = "zips"
_CODE = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}
_CODE |= {"AWS::Lambda::Function": "Code", "AWS::Lambda::LayerVersion": "Content"}
# Other properties that may name a file beside the template. Source: aws-sam-cli, samcli/lib/utils/resources.py.
_LOCAL_FILES: Mapping[str, tuple[str, ...]] = {
    "AWS::ApiGateway::RestApi": ("BodyS3Location",),
    "AWS::ApiGatewayV2::Api": ("BodyS3Location",),
    "AWS::AppSync::FunctionConfiguration": (
        "RequestMappingTemplateS3Location",
        "ResponseMappingTemplateS3Location",
        "CodeS3Location",
    ),
    "AWS::AppSync::GraphQLSchema": ("DefinitionS3Location",),
    "AWS::AppSync::Resolver": (
        "RequestMappingTemplateS3Location",
        "ResponseMappingTemplateS3Location",
        "CodeS3Location",
    ),
    "AWS::CloudFormation::Stack": ("TemplateURL",),
    "AWS::ElasticBeanstalk::ApplicationVersion": ("SourceBundle",),
    "AWS::Lambda::Function": ("Code",),
    "AWS::Lambda::LayerVersion": ("Content",),
    "AWS::Serverless::Api": ("DefinitionUri",),
    "AWS::Serverless::Application": ("Location",),
    "AWS::Serverless::Function": ("CodeUri",),
    "AWS::Serverless::GraphQLApi": ("SchemaUri", "CodeUri"),
    "AWS::Serverless::HttpApi": ("DefinitionUri",),
    "AWS::Serverless::LayerVersion": ("ContentUri",),
    "AWS::Serverless::StateMachine": ("DefinitionUri",),
    "AWS::StepFunctions::StateMachine": ("DefinitionS3Location",),
}


def zip_name(logical_id: str) -> str:
    """An artifact's zip, relative to the build."""
    return f"{ZIPS}/{logical_id}.zip"


def stage(staged: Path, made: Mapping[str, Stored]) -> None:
    """Lay new artifacts out from the store, beside the build that they belong to; what is in `staged` is removed.

    Args:
        made: by logical id.
    """
    files.remove(staged)
    (staged / ZIPS).mkdir(parents=True)
    for logical_id, stored in made.items():
        files.link_tree(stored.tree, staged / logical_id)
        files.link(stored.zip, staged / zip_name(logical_id))


def exchange(staged: Path, build_dir: Path, *, made: Collection[str], kept: Collection[str]) -> None:
    """Put what was staged in the place of what was there; what is neither staged nor kept is removed.

    An interrupt waits until the renames are done. A process killed among them leaves artifacts that are whole, each old
    or new, and the next build mends the rest.
    """
    old = build_dir.with_name(f".{build_dir.name}.old")
    files.remove(old)
    (old / ZIPS).mkdir(parents=True)
    (build_dir / ZIPS).mkdir(parents=True, exist_ok=True)
    staying = {name for one in kept for name in (one, zip_name(one))} | {ZIPS, TEMPLATE, PACKED}
    coming = [*made, *(zip_name(one) for one in made)]
    coming += [name for name in (TEMPLATE, PACKED) if (staged / name).is_file()]
    there = [*build_dir.iterdir(), *(build_dir / ZIPS).iterdir()]
    with files.uninterrupted():
        for path in there:
            if (name := path.relative_to(build_dir).as_posix()) not in staying:
                path.rename(old / name)
        for name in coming:
            (staged / name).replace(build_dir / name)
    files.remove(old)


def write_templates(stack: Stack, root: Path, logical_ids: tuple[str, ...], staged: Path) -> None:
    """Write both templates; what was not built, and other files of the project, they name by where they are."""
    from automation.project import yamls  # noqa: PLC0415 - most builds write nothing

    document = templates.document(root / stack.template.path, name=stack.template.path)
    moved = relocate(document, from_folder=(root / stack.template.path).parent, to_folder=root / stack.build_dir)
    folders = point_to(moved, {logical_id: logical_id for logical_id in logical_ids})
    packed = point_to(moved, {logical_id: zip_name(logical_id) for logical_id in logical_ids})
    files.write_atomically(staged / TEMPLATE, yamls.dump(folders))
    files.write_atomically(staged / PACKED, json.dumps(packed, indent=1))


def looks(build_dir: Path, logical_id: str) -> dict[str, str]:
    """The signatures of an artifact's folder and zip as they are now, by their names in the build."""
    return signatures(build_dir, (logical_id, zip_name(logical_id)))


def looks_of_templates(build_dir: Path) -> dict[str, str]:
    return signatures(build_dir, (TEMPLATE, PACKED))


def signatures(build_dir: Path, names: Iterable[str]) -> dict[str, str]:
    """The signature of each file or folder of a build, by its name; empty for one that is absent."""
    return {name: files.signature(build_dir / name) for name in names}


def point_to(document: Mapping[str, Any], places: Mapping[str, str]) -> dict[str, Any]:
    """The template with the code of these resources at these places, relative to the template."""
    made: dict[str, Any] = copy.deepcopy(dict(document))
    for logical_id, place in places.items():
        resource = made["Resources"][logical_id]
        resource.setdefault("Properties", {})[_CODE.get(resource["Type"], "CodeUri")] = place
    return made


def relocate(document: Mapping[str, Any], *, from_folder: Path, to_folder: Path) -> dict[str, Any]:
    """The template with every path to a local file as it is seen from another folder."""

    def moved(value: Any) -> Any:
        if isinstance(value, str) and "://" not in value and (from_folder / value).exists():
            return Path(os.path.relpath(from_folder / value, to_folder)).as_posix()
        return value

    made = copy.deepcopy(dict(document))
    for resource in made["Resources"].values():
        if isinstance(resource, dict) and isinstance(properties := resource.get("Properties"), dict):
            for name in set(_LOCAL_FILES.get(resource.get("Type", ""), ())) & set(properties):
                properties[name] = moved(properties[name])
    shared = (made.get("Globals") or {}).get("Function") or {}
    if "CodeUri" in shared:
        shared["CodeUri"] = moved(shared["CodeUri"])
    _move_includes(made, moved)
    return made


def _move_includes(value: Any, moved: Callable[[Any], Any]) -> None:
    """`Fn::Transform: {Name: AWS::Include, Parameters: {Location: file}}`, anywhere in the template."""
    if isinstance(value, list):
        for inner in value:
            _move_includes(inner, moved)
    if not isinstance(value, dict):
        return
    match value.get("Fn::Transform"):
        case {"Name": "AWS::Include", "Parameters": {"Location": location} as parameters}:
            parameters["Location"] = moved(location)
    for inner in value.values():
        _move_includes(inner, moved)
