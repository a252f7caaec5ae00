"""Prove the functions that `inv watch` is about to update: those, and on exactly what they would run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from automation import prove
from automation.project.model import Project
from automation.proof.evidence import Evidence
from automation.proof.imports import Outcome
from automation.system.errors import Finding

type Key = tuple[str, str]  # stack and logical id


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the proof says of some functions.

    Attributes:
        refused: why each function that has not passed may not be updated, by stack and logical id.
        imported: the functions whose handlers were imported.
    """

    refused: Mapping[Key, tuple[Finding, ...]]
    imported: frozenset[Key]


def check(built: Project, functions: Iterable[Key], *, imported_before: frozenset[Key] = frozenset()) -> Verdicts:
    """Prove functions of a build that was made just now.

    A fault that a whole proof finds is looked for in each function alone, so that one function's fault does not keep
    the others from their edits.

    Args:
        built: as built.as_built returns it.
        imported_before: the functions that an earlier proof has imported; what is only read may not replace their code.

    Raises:
        AutomationError: as prove.prove.
    """
    wanted = tuple(dict.fromkeys(functions))
    together = _check(built, wanted, imported_before)
    if not together.refused or len({name for _, name in wanted}) == 1:
        return together
    refused: dict[Key, tuple[Finding, ...]] = {}
    for name in dict.fromkeys(name for _, name in wanted):
        refused |= _check(built, [key for key in wanted if key[1] == name], imported_before).refused
    return Verdicts(refused, together.imported)


def _check(built: Project, functions: Iterable[Key], imported_before: frozenset[Key]) -> Verdicts:
    wanted = tuple(functions)
    proof = prove.prove(built, names=[name for _, name in wanted], is_fresh=True)
    evidence = {_key(entry): entry for entry in proof.functions}
    faults = prove.findings(proof)
    refused: dict[Key, tuple[Finding, ...]] = {}
    for key in wanted:
        known = evidence.get(key)
        reasons = faults or (() if known is None else _unsure(known, had_import=key in imported_before))
        if known is None and not reasons:
            reasons = (Finding(key[1], "it was not built", "run inv build"),)
        if reasons:
            refused[key] = tuple(reasons)
    imported = frozenset(key for key, entry in evidence.items() if _is_imported(entry))
    return Verdicts(refused, imported)


def _unsure(evidence: Evidence, *, had_import: bool) -> tuple[Finding, ...]:
    """Return why an import that proves nothing is not good enough here.

    inv prove then reads the code, since a value that only Lambda knows may be what is missing; here the old code works.
    """
    imported = evidence.imported
    if _is_imported(evidence) or not (had_import or imported):
        return ()
    reasons = [evidence.why, imported.error if imported else ""]
    return (Finding(evidence.mount.where, ": ".join(["its import does not succeed here", *filter(None, reasons)])),)


def _is_imported(evidence: Evidence) -> bool:
    return evidence.imported is not None and evidence.imported.outcome is Outcome.RESOLVED


def _key(evidence: Evidence) -> Key:
    return evidence.mount.stack.name, evidence.mount.function.logical_id
