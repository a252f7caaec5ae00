"""The advice for an import that failed, and what is left to other rules."""

from pathlib import Path
from typing import Any

import pytest

from automation.proof import import_rules
from automation.proof.cases import Case
from automation.proof.evidence import Evidence, ProofMethod
from automation.proof.imports import Frame, ImportResult, Outcome
from automation.proof.scan import Scan
from tests.automation.proof import subjects
from tests.automation.proof.subjects import BUILD

LAYER = subjects.layer(CompatibleArchitectures=["arm64"])


def advice(root: Path, text: str, *kinds: str, layer: dict[str, Any] = LAYER, file: str = "App/app.py") -> list[str]:
    """Return the advice for a function whose import fails in a file of the build."""
    resources = {"App": subjects.function(Layers=[{"Ref": "Libs"}]), "Libs": layer}
    subject = subjects.write(root, resources, {"App": {"app.py": ""}, "Libs": {"python/stone.py": ""}})
    stack = (Frame((root / BUILD / file).resolve(), 1),) if file else ()
    imported = ImportResult(
        Outcome.FAILED, kinds=(*kinds, "ImportError"), text=text, name="stone._mill", stack=stack, module="app"
    )
    evidence = Evidence(subject.mounts[0], ProofMethod.IMPORTED, imported=imported, scan=Scan())
    return [fault.fix for fault in import_rules.check_import(Case(subject, evidence, Scan()))]


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("cannot import name 'x' from 'stone._mill'", "correct the name: stone._mill does not define it"),
        ("please install stone", "provide what the message asks for, then run inv build and inv prove App"),
        (
            "stone.so: undefined symbol: mill",
            "run inv build --force: its compiled part is for another system, or lacks a library that it needs",
        ),
        ("attempted relative import with no known parent package", "use the module's absolute name"),
    ],
)
def test_import_error_is_corrected_where_its_text_says(tmp_path: Path, text: str, fix: str) -> None:
    assert advice(tmp_path, text) == [fix]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("cannot import name '_mill' from 'stone'", ()),
        ("stone.so: cannot open shared object file", ()),
        ("No module named 'stone._mill'", ("ModuleNotFoundError",)),
    ],
)
def test_import_error_in_a_layer_of_another_architecture_names_the_layer(
    tmp_path: Path, text: str, kinds: tuple[str, ...]
) -> None:
    assert advice(tmp_path, text, *kinds, file="Libs/python/stone.py") == [
        "follow the advice of runtime-mismatch: Libs is not built for x86_64"
    ]


@pytest.mark.parametrize(
    ("layer", "file"),
    [
        (subjects.layer(), "Libs/python/stone.py"),
        (subjects.layer(CompatibleArchitectures=["arm64", "x86_64"]), "Libs/python/stone.py"),
        (LAYER, "App/app.py"),
        (LAYER, ""),
    ],
)
def test_import_error_elsewhere_is_not_about_the_architecture(tmp_path: Path, layer: dict[str, Any], file: str) -> None:
    assert advice(tmp_path, "cannot import name 'x'", layer=layer, file=file) == [
        "correct the name: stone._mill does not define it"
    ]
