"""Search the folders of a project for SAM templates."""

import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

_ENDINGS = (".yaml", ".yml", ".json", ".template")
_LARGEST = 1_000_000  # bytes; CloudFormation takes no larger template
_DEEPEST = 4
_NOT_SEARCHED = frozenset(
    {"__pycache__", "build", "cdk.out", "dist", "env", "node_modules", "site-packages", "venv", "virtualenv"}
)
_TRANSFORM = b"AWS::Serverless-2016-10-31"
_CODE = re.compile(rb"AWS::(Serverless|Lambda)::(Function|LayerVersion)\b|AWS::Serverless::Application\b")
_PACKAGED = re.compile(rb"(CodeUri|ContentUri)[\"']?\s*:\s*[\"']?s3://")
_LOCATION = re.compile(rb"\b(?:Location|TemplateURL)[\"']?\s*:\s*[\"']?(?:file://)?([\w./-]+)")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9]+")
_MOST_STACKS = 12


def find(root: Path) -> tuple[str, ...]:
    """Return the SAM templates below a folder that have code, relative to it, sorted.

    Left out are those that another one nests, the output of `sam package`, and folders of tools and builds.
    """
    texts = {path: text for path in _candidates(root) if _is_template(text := path.read_bytes())}
    nested: set[Path] = set()
    for path, text in texts.items():
        nested |= {(path.parent / os.fsdecode(location)).resolve() for location in _LOCATION.findall(text)}
    return tuple(sorted(path.relative_to(root).as_posix() for path in texts if path.resolve() not in nested))


def stack_names(templates: Sequence[str]) -> dict[str, str]:
    """Return the templates by the names of their stacks: each after its folder, and numbered where two are alike."""
    names: dict[str, str] = {}
    for template in templates:
        path = PurePosixPath(template)
        base = _NOT_IN_NAMES.sub("-", path.parent.name or path.stem).strip("-").lower() or "main"
        name, number = base, 2
        while name in names:
            name, number = f"{base}-{number}", number + 1
        names[name] = template
    return names


def how_to_name(root: Path) -> str:
    """Return what to do in a folder without a template of a name that SAM takes by itself."""
    templates = find(root)
    if not 0 < len(templates) <= _MOST_STACKS:
        return "run it beside one, or name yours as stacks of [tool.alchemiser] in pyproject.toml"
    names = {"main": templates[0]} if len(templates) == 1 else stack_names(templates)
    stacks = (f"{{name = {json.dumps(name)}, template = {json.dumps(path)}}}" for name, path in names.items())
    return f"write into pyproject.toml the line [tool.alchemiser] and below it the line stacks = [{', '.join(stacks)}]"


def _candidates(folder: Path, depth: int = 0) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in list(entries):
            if entry.is_dir(follow_symlinks=False):
                if depth < _DEEPEST and not entry.name.startswith(".") and entry.name not in _NOT_SEARCHED:
                    yield from _candidates(Path(entry.path), depth + 1)
            elif entry.name.endswith(_ENDINGS) and entry.is_file() and entry.stat().st_size <= _LARGEST:
                yield Path(entry.path)


def _is_template(text: bytes) -> bool:
    return _TRANSFORM in text and bool(_CODE.search(text)) and not _PACKAGED.search(text)
