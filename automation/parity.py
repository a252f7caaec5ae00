"""`inv parity`: build with SAM as well, in a temporary folder, and explain every difference from our last build.

Our side of the comparison is the last build as it would be deployed: folders, zips and both templates.
"""

import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from automation.building import artifacts, built, engines, explanations, manifests, outputs, source_copies
from automation.building.artifacts import Artifact
from automation.building.engines import Engine
from automation.building.explanations import Difference, TreePair
from automation.project import model, nesting, skipped, templates
from automation.project.model import Project, Stack
from automation.system import console, files
from automation.system.errors import CheckFailedError, ConfigurationError, Finding

_FIX = "run inv build if its source has changed since; otherwise one of the builders is wrong"
_MAX_PATH_LENGTH = 256
_MAPPINGS_OF_SAM = ("SAMCode", "SAMContent")
_CODE_KEYS = frozenset({*built.CODE_KEYS, *nesting.LOCATIONS.values()})


@dataclass(frozen=True, slots=True)
class Parity:
    """The result of a comparison.

    Attributes:
        differences: of each compared artifact, by `stack: logical id`.
        faults: what is wrong besides the files of artifacts: templates, zips, an artifact that only one side has.
        file_count: the number of our files that were compared.
    """

    differences: Mapping[str, tuple[Difference, ...]]
    faults: tuple[Finding, ...]
    file_count: int

    @property
    def unexplained(self) -> tuple[Finding, ...]:
        """Return everything without an explanation, the faults first."""
        findings = list(self.faults)
        for name, differences in self.differences.items():
            findings += [
                Finding(f"{name}: {difference.path}", difference.what, _FIX)
                for difference in differences
                if difference.explanation is None
            ]
        return tuple(findings)


def compare(project: Project) -> Parity:
    """Build every stack with SAM, with the parameters of our last build, and compare.

    Raises:
        ConfigurationError: a stack was not built, or was built by SAM.
        ToolError: `sam build` failed, or SAM CLI is not installed.
    """
    built.require_built(project)
    for stack in project.stacks:
        if manifests.read(project.root, stack.name).engine != Engine.UV:
            message = "was not built by our own builder; run inv build"
            raise ConfigurationError(message, where=stack.build_dir)
    source_copies.sync(project)

    with tempfile.TemporaryDirectory(prefix="parity-") as work:
        parities = [_compare_stack(stack, project.root, Path(work) / stack.name) for stack in project.stacks]

    differences: dict[str, tuple[Difference, ...]] = {}
    for parity in parities:
        differences |= parity.differences
    faults = chain.from_iterable(parity.faults for parity in parities)
    return Parity(differences, tuple(faults), sum(parity.file_count for parity in parities))


def compare_builds(stack: Stack, root: Path, sam_build: Path) -> Parity:
    """Compare our build of a stack with SAM's build of it, which is in the folder `sam_build`."""
    own_trees = built.trees(stack, root)
    sam_trees = built.trees(replace(stack, build_dir=str(sam_build)), root)
    by_id = {artifact.logical_id: artifact for artifact in artifacts.of_stack(stack, root)}

    where = f"{stack.build_dir}/{outputs.TEMPLATE}"
    unpaired = (own_trees.keys() ^ sam_trees.keys()) - {entry.logical_id for entry in stack.skipped}
    faults = [Finding(f"{where}: {name}", "is in only one of the builds", _FIX) for name in unpaired]
    for template in (outputs.TEMPLATE, outputs.PACKED):
        faults += find_template_faults(stack, root, template, sam_build)
    for name in sorted(set(own_trees) & set(by_id)):
        packed = root / stack.build_dir / outputs.zip_name(name)
        faults += find_zip_faults(own_trees[name], packed, f"{stack.name}: {name}")

    bytecode_faults: dict[tuple[str, str, str], str] = {}
    differences: dict[str, tuple[Difference, ...]] = {}
    count = 0
    for name in sorted(set(own_trees) & set(sam_trees) & set(by_id)):
        pair = _pair(by_id[name], own_trees[name], sam_trees[name], bytecode_faults)
        differences[f"{stack.name}: {name}"] = tuple(pair.differences())
        count += sum(1 for _ in files.walk(pair.own_tree))
    return Parity(differences, tuple(sorted(faults)), count)


def find_template_faults(stack: Stack, root: Path, name: str, sam_build: Path) -> list[Finding]:
    """Return where a template of ours would deploy differently than SAM's; code paths and Metadata may differ.

    Args:
        name: of our template in the build.
    """
    build_dir = root / stack.build_dir
    where = f"{stack.build_dir}/{name}"
    every_artifact = artifacts.of_stack(stack, root, with_foreign=True)
    built_ids = {artifact.logical_id for artifact in every_artifact} | set(stack.nested)
    own = _comparable(templates.document(build_dir / name, name=where), build_dir, built_ids)
    sams = _comparable(_template_of_sam(stack, sam_build), sam_build, built_ids)
    return [Finding(where, f"{path} differs from SAM's", _FIX) for path in _differing_paths(own, sams)]


def _template_of_sam(stack: Stack, sam_build: Path) -> Mapping[str, Any]:
    """Return SAM's built template as we write it: with expanded loops, and without the mappings of their folders."""
    document = templates.document(sam_build / outputs.TEMPLATE, name="SAM's template")
    expanded = templates.expand(document, stack.template, stack.parameters, chosen=skipped.contains_code)
    if expanded is document:
        return document
    mappings = expanded.get("Mappings") or {}
    own = {name: table for name, table in mappings.items() if not str(name).startswith(_MAPPINGS_OF_SAM)}
    return {key: value for key, value in expanded.items() if key != "Mappings"} | ({"Mappings": own} if own else {})


def find_zip_faults(tree: Path, packed: Path, where: str) -> list[Finding]:
    """Return where an artifact's zip differs from its folder: the zip is deployed, but the folder was compared."""
    if not packed.is_file():
        return [Finding(where, f"{packed.name} is missing", "run inv build")]
    try:
        with zipfile.ZipFile(packed) as archive:
            in_zip = {member.filename: member.CRC for member in archive.infolist()}
    except zipfile.BadZipFile:
        return [Finding(where, f"{packed.name} is not a zip file", "run inv build")]

    in_folder = {path.as_posix(): zlib.crc32((tree / path).read_bytes()) for path in files.walk(tree)}
    names = sorted(name for name in {*in_zip, *in_folder} if in_zip.get(name) != in_folder.get(name))
    what = f"differs between {packed.name} and its folder"
    return [Finding(f"{where}: {name}", what, "run inv build") for name in names]


def require_explained(parity: Parity) -> None:
    """Check that every difference is explained.

    Raises:
        CheckFailedError: a difference has no explanation; the findings name the files.
    """
    if findings := parity.unexplained:
        message = f"{len(findings)} difference(s) from SAM's build have no explanation"
        raise CheckFailedError(message, findings=findings)


def show(parity: Parity) -> None:
    """Print how many files differ for each reason, with an example of each."""
    rows: list[tuple[str, int, int, str]] = []
    for explanation, explained in sorted(explanations.group_by_explanation(parity.differences).items()):
        size_bytes = sum(difference.size_bytes for _, difference in explained)
        name, example = explained[0]
        rows.append((str(explanation), len(explained), size_bytes, f"{name}: {example.path}"))
    console.table(("explanation", "files", "bytes", "example"), rows, right=("files", "bytes"))

    compared = f"compared {parity.file_count} files in {len(parity.differences)} artifacts"
    explained_count = sum(row[1] for row in rows)
    console.result(f"{compared}: {explained_count} differences explained, {len(parity.unexplained)} unexplained")


def _compare_stack(stack: Stack, root: Path, work: Path) -> Parity:
    parameters = manifests.read(root, stack.name).parameters
    resolved = model.with_parameters(stack, parameters)
    with console.progress(f"building {stack.name} with sam"):
        sam_build = engines.build_with_sam(resolved, root, parameters=parameters, work=work)
    with console.progress(f"comparing {stack.name}"):
        return compare_builds(resolved, root, sam_build)


def _pair(
    artifact: Artifact, own_tree: Path, sam_tree: Path, bytecode_faults: dict[tuple[str, str, str], str]
) -> TreePair:
    return TreePair(
        own_tree=own_tree,
        sam_tree=sam_tree,
        source=artifact.source,
        mounted_at=artifact.mounted_at,
        nested_in=artifact.nested_in,
        version=artifact.version,
        bytecode_faults=bytecode_faults,
    )


def _comparable(document: Mapping[str, Any], folder: Path, built_ids: set[str]) -> dict[str, Any]:
    """Return what must be equal in two built templates: no code paths, no Metadata, and absolute paths of files."""
    resources = {name: _resource(resource, name in built_ids) for name, resource in document["Resources"].items()}
    reduced = {**document, "Resources": resources}
    shared = reduced.get("Globals", {}).get("Function")
    if isinstance(shared, Mapping):
        reduced["Globals"] = {**reduced["Globals"], "Function": _without_code(shared)}
    return {key: _with_absolute_paths(value, folder) for key, value in reduced.items()}


def _resource(resource: Any, is_built: bool) -> Any:
    if not isinstance(resource, Mapping):
        return resource
    kept = {key: value for key, value in resource.items() if key != "Metadata"}
    properties = kept.get("Properties")
    if is_built and isinstance(properties, Mapping):
        kept["Properties"] = _without_code(properties)
    return kept


def _without_code(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in properties.items() if key not in _CODE_KEYS}


def _with_absolute_paths(value: Any, folder: Path) -> Any:
    """Return a value of a template with every string that names an existing file as an absolute path."""
    if isinstance(value, Mapping):
        return {key: _with_absolute_paths(inner, folder) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_absolute_paths(inner, folder) for inner in value]
    if not isinstance(value, str) or len(value) >= _MAX_PATH_LENGTH or "\n" in value:
        return value
    is_path = ("/" in value or "." in value) and (folder / value).is_file()
    return str((folder / value).resolve()) if is_path else value


def _differing_paths(own: Any, sams: Any, path: str = "") -> Iterator[str]:
    if isinstance(own, Mapping) and isinstance(sams, Mapping):
        for key in sorted({*own, *sams}, key=str):
            yield from _differing_paths(own.get(key), sams.get(key), f"{path}.{key}" if path else str(key))
    elif own != sams:
        yield path
