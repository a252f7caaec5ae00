"""Build with SAM too, in a temporary folder, and explain every difference between its build and ours.

What is compared is our build as it lies there and would be deployed: folders, zips and both templates.
"""

import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from automation.building import artifacts, built, engines, explanations, manifests, outputs, source_copies
from automation.building.artifacts import Artifact
from automation.building.engines import Engine
from automation.building.explanations import Difference, Pair
from automation.project import model, templates
from automation.project.model import Project, Stack
from automation.system import console, files
from automation.system.errors import CheckFailedError, ConfigurationError, Finding

_CODE = frozenset({"CodeUri", "ContentUri", "Code", "Content"})
_MEND = "run inv build when its source has changed since; else one of the builders is wrong"


@dataclass(frozen=True, slots=True)
class Parity:
    """What the comparison came to.

    Attributes:
        artifacts: the differences of each artifact, by `stack: logical id`.
        faults: what is wrong beside the artifacts' files: templates, zips, an artifact that one side lacks.
        files: how many files were compared.
    """

    artifacts: Mapping[str, tuple[Difference, ...]]
    faults: tuple[Finding, ...]
    files: int

    @property
    def unexplained(self) -> tuple[Finding, ...]:
        """Everything without an explanation, the faults first."""
        found = [
            Finding(f"{name}: {one.path}", one.what, _MEND)
            for name, differences in self.artifacts.items()
            for one in differences
            if one.explanation is None
        ]
        return (*self.faults, *found)


def compare(loaded: Project) -> Parity:
    """Build every stack with SAM, with the parameters of our last build, and compare.

    Raises:
        ConfigurationError: a stack was not built, or was built by SAM.
        ToolError: `sam build` failed, or there is no SAM CLI.
    """
    built.require_built(loaded)
    for stack in loaded.stacks:
        if manifests.read(loaded.root, stack.name).engine != Engine.UV:
            raise ConfigurationError("is no build of our own builder's; run inv build", where=stack.build_dir)
    source_copies.sync(loaded)
    with tempfile.TemporaryDirectory(prefix="parity-") as work:
        found = [_of_stack(stack, loaded.root, Path(work) / stack.name) for stack in loaded.stacks]
    return Parity(
        {name: differences for one in found for name, differences in one.artifacts.items()},
        tuple(fault for one in found for fault in one.faults),
        sum(one.files for one in found),
    )


def compare_builds(stack: Stack, root: Path, sams: Path) -> Parity:
    """Compare our build of a stack with one of SAM's that lies in a folder."""
    ours = built.trees(stack, root)
    theirs = built.trees(replace(stack, build_dir=str(sams)), root)
    known = {one.logical_id: one for one in artifacts.of_stack(stack, root)}
    where = f"{stack.build_dir}/{outputs.TEMPLATE}"
    faults = [Finding(f"{where}: {name}", "is in one of the builds alone", _MEND) for name in set(ours) ^ set(theirs)]
    for template in (outputs.TEMPLATE, outputs.PACKED):
        faults += template_faults(stack, root, template, sams)
    for name in sorted(set(ours) & set(known)):
        faults += zip_faults(ours[name], root / stack.build_dir / outputs.zip_name(name), f"{stack.name}: {name}")
    judged: dict[tuple[str, str, str], str] = {}
    pairs = {
        name: _pair(known[name], ours[name], theirs[name], judged) for name in set(ours) & set(theirs) & set(known)
    }
    found = {f"{stack.name}: {name}": tuple(pairs[name].differences()) for name in sorted(pairs)}
    count = sum(1 for pair in pairs.values() for _ in files.walk(pair.ours))
    return Parity(found, tuple(sorted(faults)), count)


def template_faults(stack: Stack, root: Path, ours: str, sams: Path) -> list[Finding]:
    """Where a template of ours would not deploy the same as SAM's; the places of code and Metadata may differ."""
    folder = root / stack.build_dir
    where = f"{stack.build_dir}/{ours}"
    built = {one.logical_id for one in artifacts.of_stack(stack, root)}
    left = _deployed(templates.document(folder / ours, name=where), folder, built)
    right = _deployed(templates.document(sams / outputs.TEMPLATE, name="SAM's template"), sams, built)
    return [Finding(where, f"{path} is not as in SAM's", _MEND) for path in _unequal(left, right)]


def zip_faults(tree: Path, packed: Path, where: str) -> list[Finding]:
    """What in an artifact's zip is not what its folder has: the zip is deployed, the folder was compared."""
    if not packed.is_file():
        return [Finding(where, f"{packed.name} is absent", "run inv build")]
    try:
        with zipfile.ZipFile(packed) as archive:
            held = {one.filename: one.CRC for one in archive.infolist()}
    except zipfile.BadZipFile:
        return [Finding(where, f"{packed.name} is no zip", "run inv build")]
    there = {path.as_posix(): zlib.crc32((tree / path).read_bytes()) for path in files.walk(tree)}
    names = sorted(name for name in {*held, *there} if held.get(name) != there.get(name))
    return [Finding(f"{where}: {name}", f"is not in {packed.name} as in its folder", "run inv build") for name in names]


def require_explained(parity: Parity) -> None:
    """Raises CheckFailedError when a difference has no explanation; the findings name the files."""
    if found := parity.unexplained:
        raise CheckFailedError(f"{len(found)} difference(s) to SAM's build without an explanation", findings=found)


def show(parity: Parity) -> None:
    """Print how many files differ for which reason, with an example of each."""
    rows = [
        (str(explanation), len(those), sum(one.size_bytes for _, one in those), f"{those[0][0]}: {those[0][1].path}")
        for explanation, those in sorted(explanations.by_explanation(parity.artifacts).items())
    ]
    columns = ("because of", "files", "bytes", "for example")
    console.table(columns, rows, right=("files", "bytes"))
    explained = sum(row[1] for row in rows)
    told = f"{len(parity.artifacts)} artifacts, {parity.files} files of ours: {explained} differences explained"
    console.result(f"{told}, {len(parity.unexplained)} not")


def _of_stack(stack: Stack, root: Path, work: Path) -> Parity:
    parameters = manifests.read(root, stack.name).parameters
    resolved = model.with_parameters(stack, parameters)
    with console.progress(f"building {stack.name} with sam"):
        out = engines.make_with_sam(resolved, root, parameters=parameters, work=work)
    with console.progress(f"comparing {stack.name}"):
        return compare_builds(resolved, root, out)


def _pair(artifact: Artifact, ours: Path, sams: Path, judged: dict[tuple[str, str, str], str]) -> Pair:
    return Pair(ours, sams, artifact.source, artifact.mounted_at, artifact.nested_in, artifact.version, judged)


def _deployed(document: Mapping[str, Any], folder: Path, built: set[str]) -> dict[str, Any]:
    """A built template without what may differ, and with every file it names by its own place."""
    resources = {name: _resource(one, name in built) for name, one in document["Resources"].items()}
    plain = {**document, "Resources": resources}
    shared = plain.get("Globals", {}).get("Function")
    if isinstance(shared, Mapping):
        kept = {key: value for key, value in shared.items() if key not in _CODE}
        plain["Globals"] = {**plain["Globals"], "Function": kept}
    found = _placed(plain, folder)
    return found if isinstance(found, dict) else {}


def _resource(one: Any, is_built: bool) -> Any:
    if not isinstance(one, Mapping):
        return one
    kept = {key: value for key, value in one.items() if key != "Metadata"}
    properties = kept.get("Properties")
    if is_built and isinstance(properties, Mapping):
        kept["Properties"] = {key: value for key, value in properties.items() if key not in _CODE}
    return kept


def _placed(value: Any, folder: Path) -> Any:
    if isinstance(value, Mapping):
        return {key: _placed(inner, folder) for key, inner in value.items()}
    if isinstance(value, list):
        return [_placed(inner, folder) for inner in value]
    if isinstance(value, str) and ("/" in value or "." in value) and len(value) < 256 and "\n" not in value:
        return str((folder / value).resolve()) if (folder / value).is_file() else value
    return value


def _unequal(left: Any, right: Any, path: str = "") -> Iterator[str]:
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        for key in sorted({*left, *right}, key=str):
            yield from _unequal(left.get(key), right.get(key), f"{path}.{key}" if path else str(key))
    elif left != right:
        yield path
