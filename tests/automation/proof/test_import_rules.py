"""The advice for an import that failed, and what is left to other rules."""

import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from automation.proof import import_rules
from automation.proof.cases import Case, FunctionFault
from automation.proof.evidence import Evidence, ProofMethod
from automation.proof.hidden_modules import HiddenPart, Shadow
from automation.proof.imports import Frame, ImportResult, Outcome
from automation.proof.literals import LambdaPath
from automation.proof.model import Severity
from automation.proof.module_facts import When
from automation.proof.scan import CodeLocation, MissingImport, Scan
from tests.automation.proof import subjects
from tests.automation.proof.subjects import BUILD
from tests.faults.bakery import put

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


SCAN = Scan()
MOVE = "move it from import time into the handler; Lambda stops an initialisation after 10 s"
TREES = {"App": {"app.py": ""}, "Other": {"app.py": "", "money.py": ""}, "Libs": {"python/stone.py": ""}}


def case_of(
    root: Path,
    imported: ImportResult | None = None,
    scan: Scan = SCAN,
    *,
    is_certain: bool = True,
    **properties: Any,
) -> Case:
    """Return the case of the function App; Other has the module `money`, and no function mounts Libs."""
    resources = {"App": subjects.function(**properties), "Other": subjects.function(CodeUri="o/"), "Libs": LAYER}
    put(root / "code" / "app.py", "")
    put(root / "o" / "money.py", "")
    subject = subjects.write(root, resources, TREES)
    method = ProofMethod.IMPORTED if is_certain else ProofMethod.STATIC
    return Case(subject, Evidence(subject.mounts[0], method, imported=imported, scan=scan), scan)


def at(root: Path, line: int = 1, when: When = When.IMPORTED, file: str = "App/app.py") -> CodeLocation:
    return CodeLocation((root / BUILD / file).resolve(), line, when)


def broken(root: Path, kinds: str = "ValueError", text: str = "bad", **fields: Any) -> ImportResult:
    """Return an import that failed at line 1 of app.py."""
    stack = (Frame((root / BUILD / "App" / "app.py").resolve(), 1),)
    return ImportResult(
        **{"outcome": Outcome.FAILED, "kinds": tuple(kinds.split()), "text": text, "stack": stack} | fields
    )


def imports_of(case: Case) -> list[FunctionFault]:
    return list(import_rules.check_import(case))


def test_import_failure_is_an_error_at_the_own_line(tmp_path: Path) -> None:
    (fault,) = imports_of(case_of(tmp_path, broken(tmp_path, text="too\n  bad", name="x")))

    assert fault == FunctionFault(
        "code/app.py:1",
        "the import of {functions} fails: ValueError: too bad",
        "correct it, or move it into the handler; then run inv prove App",
        Severity.ERROR,
        "x",
    )


def test_import_failure_without_an_own_line_is_of_the_function(tmp_path: Path) -> None:
    (fault,) = imports_of(case_of(tmp_path, broken(tmp_path, stack=()), is_certain=False))

    assert (fault.where, fault.severity) == ("template.yaml: App", Severity.WARNING)


@pytest.mark.parametrize(
    ("fields", "fix"),
    [
        (
            {"key": "QUEUE", "attempts": {"outside"}},
            "if QUEUE is an environment variable, set it in the template or read it with a default",
        ),
        (
            {"attempts": {"outside", "network"}},
            "put the file or module into the sources of the function or of a layer that it mounts",
        ),
        (
            {"attempts": {"network", "semaphore"}},
            "use the network at the first event: at import it delays every cold start",
        ),
        (
            {"attempts": {"semaphore", "write"}},
            "use threads, or processes with a pipe: Lambda has no shared memory for locks, queues and pools",
        ),
        (
            {"attempts": {"write"}, "kinds": "SyntaxError"},
            "write under /tmp: every other folder is read-only on Lambda",
        ),
        ({"kinds": "SyntaxError"}, "correct it for python3.12"),
        ({"kinds": "SystemExit"}, "remove the exit from the code that runs at import"),
        (
            {"outcome": Outcome.WAITED},
            f"run inv prove App when this machine is at rest, or {MOVE}",
        ),
        (
            {"outcome": Outcome.HUNG},
            MOVE,
        ),
        (
            {"outcome": Outcome.ENDED, "kinds": ""},
            MOVE,
        ),
        (
            {"kinds": "ImportError", "text": "circular import: cannot import name"},
            "import it in the function that uses it, or move what both modules need to a third",
        ),
        *(
            (
                {"kinds": "ImportError", "text": f"x: {word}"},
                "run inv build --force: its compiled part is for another system, or lacks a library that it needs",
            )
            for word in ("a.so", "invalid ELF header", "undefined symbol: f", "version `GLIBC_2.38' not found")
        ),
        (
            {"kinds": "ImportError", "text": "cannot import name 'x'"},
            "correct the name: the module does not define it",
        ),
    ],
)
def test_import_failure_has_a_fix_for_its_reason(tmp_path: Path, fields: dict[str, Any], fix: str) -> None:
    attempts = frozenset(fields.get("attempts", ()))

    (fault,) = imports_of(case_of(tmp_path, broken(tmp_path, **{**fields, "attempts": attempts})))

    assert fault.fix == fix


MISSING = "ModuleNotFoundError ImportError"


@pytest.mark.parametrize(
    ("module", "fix"),
    [
        ("money", "it is only in the tree of Other: move the code that both need to a layer of both"),
        ("stone", "add !Ref Libs to Layers of App in template.yaml"),
        (
            "kit.tests.data",
            "import kit.tests.data in the code of App: inv build keeps the test modules that the code imports",
        ),
        ("tests.data", "run inv build --force: tests.data is missing there, or is for another Python or machine"),
        ("kit.data", "run inv build --force: kit.data is missing there, or is for another Python or machine"),
        ("requests", "add requests to code/requirements.txt and run inv build"),
        ("nobody_knows", "add the distribution that provides nobody_knows to code/requirements.txt and run inv build"),
    ],
)
def test_import_failure_of_a_module_says_where_it_is(tmp_path: Path, module: str, fix: str) -> None:
    case = case_of(tmp_path, broken(tmp_path, MISSING, f"No module named '{module}'", name=module))

    (fault,) = imports_of(case)

    assert fault.fix == fix


def test_import_failure_of_a_module_of_the_package_is_built_again(tmp_path: Path) -> None:
    put(tmp_path / "shop" / "money2.py", "")
    resources = {"App": subjects.function()}
    subject = subjects.write(
        tmp_path, resources, {"App": {"app.py": ""}}, settings='[tool.alchemiser]\npackage = "shop"\n'
    )
    imported = broken(tmp_path, MISSING, "No module named 'shop.money2'", name="shop.money2")
    evidence = Evidence(subject.mounts[0], ProofMethod.IMPORTED, imported=imported, scan=Scan())

    (fault,) = imports_of(Case(subject, evidence, Scan()))

    assert fault.fix == "shop/money2.py is in no artifact of App: run inv build"


def missing(root: Path, module: str, **fields: Any) -> MissingImport:
    location = fields.pop("location", at(root))
    return MissingImport(location, module, fields.pop("missing_part", module), **fields)


def test_import_failure_of_an_own_module_names_the_nearest(tmp_path: Path) -> None:
    scan = Scan(missing_imports=(missing(tmp_path, "kit.dat", is_of_own=True, candidates=frozenset({"data", "x"})),))
    case = case_of(tmp_path, broken(tmp_path, MISSING, name="kit.dat"), scan)

    assert [fault.fix for fault in imports_of(case)] == ["correct the name, or add the module; did you mean data?"]


@pytest.mark.parametrize("layers", [[], ["arn:aws:lambda:eu-west-1:123456789012:layer:x:3"]])
def test_import_failure_that_a_layer_may_help_is_a_warning(tmp_path: Path, layers: list[str]) -> None:
    imported = broken(tmp_path, MISSING, "No module named 'requests'", name="requests")

    (fault,) = imports_of(case_of(tmp_path, imported, Layers=layers))

    assert fault.severity is (Severity.WARNING if layers else Severity.ERROR)
    advice = "add requests to code/requirements.txt and run inv build"
    assert fault.fix == (f"check that {layers[0]} provides it, or {advice}" if layers else advice)


def test_import_failure_that_an_unbuilt_layer_may_help_says_to_build_it(tmp_path: Path) -> None:
    imported = broken(tmp_path, MISSING, "No module named 'requests'", name="requests")
    case = case_of(tmp_path, imported)
    mount = replace(case.evidence.mount, unknown=("arn:x", "Libs"), unbuilt=("Libs",))

    (fault,) = imports_of(replace(case, evidence=replace(case.evidence, mount=mount)))

    assert fault.severity is Severity.WARNING
    advice = "add requests to code/requirements.txt and run inv build"
    assert fault.fix == f"build the layer Libs, which may provide it, or {advice}"


def reported_elsewhere(root: Path) -> dict[str, tuple[ImportResult, Scan]]:
    """Return imports that failed for what another rule reports."""
    where, app = at(root), (root / BUILD / "App" / "app.py").resolve()
    other = root / "queue.py"
    unset = broken(root)
    return {
        "a module of another function": (unset, Scan(missing_imports=(missing(root, "money"),))),
        "a module of nobody": (unset, Scan(missing_imports=(missing(root, "requests"),))),
        "a variable": (unset, Scan(reads=((where, "QUEUE"),))),
        "a file": (unset, Scan(missing_files=((where, LambdaPath(PurePosixPath("/opt/x"))),))),
        "a shadow by its name": (broken(root, text="no 'queue'"), Scan(shadows=(Shadow("queue", other, True),))),
        "a shadow by its file": (unset, Scan(shadows=(Shadow("queue", app, True),))),
        "a hidden part": (broken(root, name="shop.x"), Scan(hidden=(HiddenPart("shop", app, root, ("x",)),))),
        "the runtime": (broken(root, MISSING, name="boto3"), Scan()),
        "a library": (broken(root, "OSError", attempts=frozenset({"library:libx.so.1"})), Scan()),
        "a handler without a dot": (broken(root, outcome=Outcome.MALFORMED), Scan()),
        "a built-in handler": (broken(root, outcome=Outcome.BUILT_IN), Scan()),
        "no module of the handler": (unset, Scan(module="app")),
        "nothing": (ImportResult(Outcome.NO_ATTRIBUTE), Scan()),
    }


@pytest.mark.parametrize("name", reported_elsewhere(Path()))
def test_import_failure_of_another_rule_is_left_to_it(tmp_path: Path, name: str) -> None:
    imported, scan = reported_elsewhere(tmp_path)[name]

    assert imports_of(case_of(tmp_path, imported, scan)) == []


@pytest.mark.parametrize(
    "scan",
    [
        Scan(reads=((CodeLocation(Path("x.py"), 1, When.IMPORTED), "QUEUE"),)),
        Scan(shadows=(Shadow("queue", Path("queue.py"), is_distributed=False),)),
        Scan(hidden=(HiddenPart("shopping", Path("a.py"), Path("b"), ("x",)),)),
        Scan(module="app", is_found=True),
        Scan(module="app", hidden=(HiddenPart("app", Path("a.py"), Path("b"), ("x",)),)),
    ],
)
def test_import_failure_beside_what_another_rule_reports_is_reported(tmp_path: Path, scan: Scan) -> None:
    assert len(imports_of(case_of(tmp_path, broken(tmp_path, name="shop.x"), scan))) == 1
    provided = broken(tmp_path, "ImportError", name="boto3")
    assert len(imports_of(case_of(tmp_path, provided, scan))) == 1


def test_read_failure_of_a_file_that_cannot_be_parsed(tmp_path: Path) -> None:
    scan = Scan(unparsable=((at(tmp_path, 7), "invalid syntax"),))

    (fault,) = imports_of(case_of(tmp_path, None, scan))

    assert fault == FunctionFault(
        "code/app.py:7", "cannot be parsed by python3.12: invalid syntax", "correct it", Severity.ERROR
    )
    assert len(imports_of(case_of(tmp_path, broken(tmp_path), scan))) == 1
    assert imports_of(case_of(tmp_path, ImportResult(Outcome.RESOLVED), scan)) == []


@pytest.mark.parametrize(("more", "is_certain"), [(0, True), (1, False)])
def test_read_failure_of_a_file_for_a_later_python_is_a_warning(tmp_path: Path, more: int, *, is_certain: bool) -> None:
    own, runtime = (f"3.{sys.version_info.minor + count}" for count in (0, more))
    scan = Scan(unparsable=((at(tmp_path, 7), "invalid syntax"),))

    (fault,) = imports_of(case_of(tmp_path, None, scan, Runtime=f"python{runtime}"))

    assert (fault.severity is Severity.ERROR, fault.fix == "correct it") == (is_certain, is_certain)
    if not is_certain:
        what = f"cannot be parsed by Python {own}, so it is not checked for python{runtime}: invalid syntax"
        fix = f"correct it, or run inv prove in an environment of python{runtime}"
        assert fault == FunctionFault("code/app.py:7", what, fix, Severity.WARNING)


def test_read_failure_of_a_name_that_a_module_lacks(tmp_path: Path) -> None:
    name = missing(tmp_path, "kit", missing_part="lod", within="kit", candidates=frozenset({"load"}))

    (fault,) = imports_of(case_of(tmp_path, None, Scan(missing_imports=(name,))))

    assert fault == FunctionFault(
        "code/app.py:1", "imports lod from kit, which does not define that name", "correct the name; did you mean load?"
    )


def test_read_failure_of_a_relative_import_out_of_its_package(tmp_path: Path) -> None:
    outside = missing(tmp_path, "..kit", missing_part="")

    (fault,) = imports_of(case_of(tmp_path, None, Scan(missing_imports=(outside,))))

    assert (fault.what, fault.fix) == ("has a relative import that leads out of its package", "use its absolute name")


def test_read_failure_of_a_module_counts_the_other_lines(tmp_path: Path) -> None:
    lines = [missing(tmp_path, "kit.gone", location=at(tmp_path, number), is_of_own=True) for number in (1, 2, 3)]

    (fault,) = imports_of(case_of(tmp_path, None, Scan(missing_imports=tuple(lines))))

    assert fault == FunctionFault(
        "code/app.py:1",
        "imports kit.gone, which is missing in what {functions} mounts (2 other lines too)",
        "correct the name, or add the module",
        Severity.ERROR,
        "kit.gone",
    )


@pytest.mark.parametrize(("name", "count"), [("kit.gone", 1), ("kit", 1), ("ki", 2), ("", 2)])
def test_read_failure_of_the_module_that_failed_is_reported_once(tmp_path: Path, name: str, count: int) -> None:
    gone = missing(tmp_path, "kit.gone", is_of_own=True, location=at(tmp_path, 5))

    assert len(imports_of(case_of(tmp_path, broken(tmp_path, name=name), Scan(missing_imports=(gone,))))) == count


@pytest.mark.parametrize(("more", "text"), [(0, ""), (1, " (1 other line too)"), (2, " (2 other lines too)")])
def test_other_lines_are_counted(more: int, text: str) -> None:
    assert import_rules.other_lines(more) == text
