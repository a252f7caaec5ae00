"""A finished build as SAM expects it: a folder an artifact, and the template that names them.

Beside `template.yaml`, whose code folders SAM takes as its own build, lies `packed.json`, which names the zips: a
deployment from it packs nothing. It is JSON, which SAM parses natively, where its YAML parser is plain Python.
"""

import copy
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from automation import artifacts, files, templates
from automation.project import Stack

TEMPLATE = "template.yaml"
PACKED = "packed.json"
ZIPS = "zips"
_CODE = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


def write(stack: Stack, root: Path, made: Mapping[str, Path], out: Path) -> None:
    """Write a build's output into an empty folder.

    Args:
        made: the folder of each artifact in the store, by logical id.
    """
    (out / ZIPS).mkdir(parents=True)
    for logical_id, place in made.items():
        shutil.copytree(place / artifacts.TREE, out / logical_id)
        shutil.copyfile(place / artifacts.ZIP, out / ZIPS / f"{logical_id}.zip")
    document = templates.document(root / stack.template.path, name=stack.template.path)
    folders = point_to(document, {logical_id: logical_id for logical_id in made})
    packed = point_to(document, {logical_id: f"{ZIPS}/{logical_id}.zip" for logical_id in made})
    files.write_atomically(out / TEMPLATE, yaml.safe_dump(folders, sort_keys=False, width=120))
    files.write_atomically(out / PACKED, json.dumps(packed, indent=1))


def point_to(document: Mapping[str, Any], places: Mapping[str, str]) -> dict[str, Any]:
    """The template with the code of these resources at these places, relative to the template."""
    made: dict[str, Any] = copy.deepcopy(dict(document))
    for logical_id, place in places.items():
        resource = made["Resources"][logical_id]
        resource["Properties"][_CODE.get(resource["Type"], "CodeUri")] = place
    return made
