"""Write a finished build as SAM expects it: one folder per artifact, and the template that names the folders.

SAM treats `template.yaml` and its folders as its own build. `packed.json` beside it is the same template with the zips
in place of the folders, so that a deployment packs nothing. It is JSON because SAM's YAML parser is slow, plain Python.
"""

import copy
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from automation.building.store import StoredArtifact
from automation.project import nesting, skipped, templates
from automation.project.model import Stack
from automation.system import files

TEMPLATE = "template.yaml"
PACKED = "packed.json"
ZIPS = "zips"
_CODE = {"AWS::Serverless::LayerVersion": "ContentUri"}
_CODE |= {"AWS::Lambda::Function": "Code", "AWS::Lambda::LayerVersion": "Content", **nesting.LOCATIONS}
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
    """Return the path of an artifact's zip, relative to the build."""
    return f"{ZIPS}/{logical_id}.zip"


def stage(staged: Path, artifacts: Mapping[str, StoredArtifact]) -> None:
    """Lay new artifacts out from the store in the folder `staged`, which is emptied first.

    Args:
        artifacts: by logical id.
    """
    files.remove(staged)
    (staged / ZIPS).mkdir(parents=True)
    for logical_id, artifact in artifacts.items():
        files.link_tree(artifact.tree, staged / logical_id)
        files.link(artifact.zip, staged / zip_name(logical_id))


def swap_in(
    staged: Path, build_dir: Path, *, new: Iterable[str], kept: Iterable[str], nested: Iterable[str] = ()
) -> None:
    """Move staged artifacts and templates into the build, and remove what is neither new nor kept.

    Args:
        new: logical ids of the staged artifacts.
        kept: logical ids of the artifacts that stay as they are.
        nested: logical ids of the nested stacks, whose builds stay as they are.
    """
    old = build_dir.with_name(f".{build_dir.name}.old")
    files.remove(old)
    (old / ZIPS).mkdir(parents=True)
    (build_dir / ZIPS).mkdir(parents=True, exist_ok=True)

    staying = {*_names(kept), *nested, ZIPS, TEMPLATE, PACKED}
    arriving = [*_names(new), *(name for name in (TEMPLATE, PACKED) if (staged / name).is_file())]
    present = [*build_dir.iterdir(), *(build_dir / ZIPS).iterdir()]

    # Only renames happen here, and an interrupt waits for them. A process killed between two of them leaves complete
    # artifacts, old or new, and the next build replaces the old ones.
    with files.uninterrupted():
        for path in present:
            if (name := path.relative_to(build_dir).as_posix()) not in staying:
                path.rename(old / name)
        for name in arriving:
            (staged / name).replace(build_dir / name)
    files.remove(old)


def write_templates(
    stack: Stack, root: Path, logical_ids: tuple[str, ...], staged: Path, *, nested: Iterable[str] = ()
) -> None:
    """Write both templates. They name what was not built, and other files of the project, by their present paths.

    Loops that contain functions or layers are expanded, since each of these has a folder of its own.

    Args:
        logical_ids: of the artifacts in the build.
        nested: of the nested stacks that have a build, in folders beside the artifacts.
    """
    from automation.project import yamls  # noqa: PLC0415 - most builds write nothing

    template = root / stack.template.path
    source = templates.document(template, name=stack.template.path, cache=root / templates.PARSED)
    document = templates.expand(source, stack.template, stack.parameters, chosen=skipped.contains_code)
    relocated = relocate(document, from_folder=template.parent, to_folder=root / stack.build_dir)
    folders = {logical_id: logical_id for logical_id in logical_ids}
    folders |= {logical_id: f"{logical_id}/{TEMPLATE}" for logical_id in nested}
    archives = {logical_id: zip_name(logical_id) for logical_id in logical_ids}
    archives |= {logical_id: f"{logical_id}/{PACKED}" for logical_id in nested}
    files.write_atomically(staged / TEMPLATE, yamls.dump(point_to(relocated, folders)))
    files.write_atomically(staged / PACKED, json.dumps(point_to(relocated, archives)))


def artifact_signatures(build_dir: Path, logical_id: str) -> dict[str, str]:
    """Return the signatures of an artifact's folder and zip as they are now, by their names in the build."""
    return signatures(build_dir, (logical_id, zip_name(logical_id)))


def template_signatures(build_dir: Path) -> dict[str, str]:
    return signatures(build_dir, (TEMPLATE, PACKED))


def signatures(build_dir: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the signature of each file or folder of a build, by its name; empty for a missing one."""
    known: files.Statuses = {}
    return {name: files.signature(build_dir / name, known=known) for name in names}


def point_to(document: Mapping[str, Any], code_paths: Mapping[str, str]) -> dict[str, Any]:
    """Return the template with new code paths.

    Args:
        code_paths: by logical id, relative to the template.
    """
    resources = dict(document["Resources"])
    for logical_id, code_path in code_paths.items():
        resource = resources[logical_id]
        code = {_CODE.get(resource["Type"], "CodeUri"): code_path}
        resources[logical_id] = {**resource, "Properties": {**resource.get("Properties", {}), **code}}
    return {**document, "Resources": resources}


def relocate(document: Mapping[str, Any], *, from_folder: Path, to_folder: Path) -> dict[str, Any]:
    """Return the template with every path to a local file made relative to `to_folder`."""

    def move(value: Any) -> Any:
        if isinstance(value, str) and (from_folder / value).exists():
            return Path(os.path.relpath(from_folder / value, to_folder)).as_posix()
        return value

    relocated = copy.deepcopy(dict(document))
    for resource in relocated["Resources"].values():
        if isinstance(resource, dict) and isinstance(properties := resource.get("Properties"), dict):
            for name in set(_LOCAL_FILES.get(resource.get("Type", ""), ())) & set(properties):
                properties[name] = move(properties[name])

    shared = (relocated.get("Globals") or {}).get("Function") or {}
    if "CodeUri" in shared:
        shared["CodeUri"] = move(shared["CodeUri"])
    _move_includes(relocated, move)
    return relocated


def _move_includes(value: Any, move: Callable[[Any], Any]) -> None:
    """Move `Fn::Transform: {Name: AWS::Include, Parameters: {Location: file}}`, anywhere in the template."""
    if isinstance(value, list):
        for inner in value:
            _move_includes(inner, move)
    if not isinstance(value, dict):
        return

    match value.get("Fn::Transform"):
        case {"Name": "AWS::Include", "Parameters": {"Location": location} as parameters}:
            parameters["Location"] = move(location)
    for inner in value.values():
        _move_includes(inner, move)


def _names(logical_ids: Iterable[str]) -> list[str]:
    """Return the names of the folders and zips of artifacts, relative to the build."""
    names: list[str] = []
    for logical_id in logical_ids:
        names += [logical_id, zip_name(logical_id)]
    return names
