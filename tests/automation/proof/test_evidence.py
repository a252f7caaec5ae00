"""Which failed imports count, and which are only proven statically. Most imports really run."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from automation import prove
from automation.proof import cases, evidence, import_rules
from automation.proof.evidence import Evidence
from automation.proof.imports import ImportResult, Outcome
from automation.proof.model import Severity
from automation.proof.module_facts import When
from automation.proof.scan import CodeLocation, Scan
from automation.system import packages
from tests.automation.proof import subjects
from tests.automation.proof.small import TEMPLATE, make

HANDLER = "\n\ndef handler(event, context): ...\n"
# Nothing of this environment is only known at deploy time.
KNOWN = TEMPLATE.replace(", TABLE: !Ref Table", "")
SCAN = Scan()
READ = frozenset({"variable:TABLE"})


def evidence_of(
    root: Path, text: str, changes: Mapping[str, str] | None = None, *, template: str = TEMPLATE
) -> tuple[Evidence, list[str]]:
    """Return the evidence about the function One, and the errors and warnings that are found."""
    project = make(root, {"functions/one/app.py": text + HANDLER, **(changes or {})}, template=template)
    proof = prove.prove(project, names=["One"])
    return proof.functions[0], [f"{broken.fault.severity}: {broken.rule.id}" for broken in proof.broken]


def test_evidence_file_of_another_function_is_missing(tmp_path: Path) -> None:
    text = "from pathlib import Path\nopen(Path(__file__).resolve().parents[1] / 'Two' / 'app.py')"

    evidence, found = evidence_of(tmp_path, text)

    assert evidence.imported is not None
    assert evidence.imported.path == "/var/Two/app.py"
    assert evidence.imported.attempts == {"outside"}
    assert (str(evidence.method), found) == ("imported", ["error: import-fails"])


def test_evidence_file_of_the_project_by_its_whole_path_is_missing(tmp_path: Path) -> None:
    evidence, found = evidence_of(tmp_path, f"open({str(tmp_path / 'template.yaml')!r})")

    assert evidence.imported is not None
    assert evidence.imported.attempts == {"outside"}
    assert (str(evidence.method), found) == ("imported", ["error: import-fails"])


def test_evidence_module_of_another_function_is_missing(tmp_path: Path) -> None:
    text = (
        "import os, sys\nsys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))\nimport Two.app"
    )

    evidence, found = evidence_of(tmp_path, text)

    assert evidence.imported is not None
    assert evidence.imported.name == "Two"
    assert found == ["error: sibling-import"]


def test_evidence_own_files_by_resolved_paths_are_found(tmp_path: Path) -> None:
    text = "from pathlib import Path\nimport shared.data\nassert (Path(__file__).resolve().parent / 'a.txt').exists()"
    shared = "from pathlib import Path\n(Path(__file__).resolve().parents[1] / 'b.txt').read_text()\n"
    changes = {"functions/one/a.txt": "", "layers/common/shared/data.py": shared, "layers/common/b.txt": ""}

    evidence, found = evidence_of(tmp_path, text, changes)

    assert (str(evidence.method), evidence.why, found) == ("imported", "", [])


@pytest.mark.parametrize(
    "text",
    [
        "open('/opt/python/b.txt')",
        "try:\n    open('/opt/python/b.txt')\nexcept OSError:\n    raise RuntimeError",
        "import ctypes\nctypes.CDLL('/opt/python/b.txt')",
    ],
)
def test_evidence_literal_path_of_a_layer_exists_only_on_lambda(tmp_path: Path, text: str) -> None:
    evidence, found = evidence_of(tmp_path, text, {"layers/common/b.txt": ""}, template=KNOWN)

    assert (str(evidence.method), found) == ("static", [])
    assert evidence.why == "its import reads /opt/python/b.txt, a path that exists only on Lambda"


def test_evidence_literal_path_does_not_excuse_a_wrong_name(tmp_path: Path) -> None:
    text = "try:\n    open('/opt/python/b.txt')\nexcept OSError:\n    pass\nundefined"

    evidence, found = evidence_of(tmp_path, text, {"layers/common/b.txt": ""}, template=KNOWN)

    assert (str(evidence.method), found) == ("imported", ["error: import-fails"])


def test_evidence_missing_literal_path_is_an_error(tmp_path: Path) -> None:
    evidence, found = evidence_of(tmp_path, "open('/opt/python/none.txt')")

    assert str(evidence.method) == "imported"
    assert found[0].startswith("error: ")


def test_evidence_literal_folder_of_a_layer_is_searched(tmp_path: Path) -> None:
    text = "import sys\nsys.path.append('/opt/python/deep')\nimport below"

    evidence, found = evidence_of(tmp_path, text, {"layers/common/deep/below.py": ""}, template=KNOWN)

    assert (str(evidence.method), found) == ("imported", [])


def test_evidence_module_of_the_runtime_is_proven_statically(tmp_path: Path) -> None:
    evidence, found = evidence_of(tmp_path, "import awslambdaric", template=KNOWN)

    assert (str(evidence.method), found) == ("static", [])
    assert evidence.why == "its import needs awslambdaric, which the runtime or a public layer provides"


def test_evidence_missing_sdk_says_how_to_import_for_real(tmp_path: Path) -> None:
    text = "raise ModuleNotFoundError(\"No module named 'boto3'\", name='boto3')"

    evidence, found = evidence_of(tmp_path, text, template=KNOWN)

    assert (str(evidence.method), found) == ("static", [])
    assert evidence.why.startswith("its import needs boto3, which the runtime or a public layer provides; for a real ")
    assert evidence.why.endswith(packages.how_to_install("boto3"))


@pytest.mark.parametrize(
    ("text", "method"),
    [
        ("import os\nint(os.environ['TABLE'])", "static"),
        ("import os\nopen('x', 'w')", "imported"),
        ("import ctypes\nctypes.CDLL('libgone.so.9')", "static"),
        ("import multiprocessing\nmultiprocessing.Lock()", "imported"),
        ("import multiprocessing\nmultiprocessing.Pipe()", "imported"),
        ("import sys\nsys.exit(1)", "imported"),
        ("import os\nint(os.environ.get('TABLES') or 'x')", "imported"),
        ("import os\nos.getenvb(b'TABLE')\nint('x')", "static"),
        ("import subprocess\nsubprocess.run(['true'])\nint('x')", "static"),
    ],
)
def test_evidence_unknown_variable_excuses_only_what_it_may_change(tmp_path: Path, text: str, method: str) -> None:
    evidence, _ = evidence_of(tmp_path, text)

    assert str(evidence.method) == method


@pytest.mark.parametrize(
    "text", ["import os\nraise TypeError(os.environ['TABLE'].lower())", "import os\n{}[os.environ['TABLE']]"]
)
def test_evidence_failure_about_a_placeholder_is_no_finding(tmp_path: Path, text: str) -> None:
    evidence, found = evidence_of(tmp_path, text)

    assert (str(evidence.method), found) == ("static", [])
    assert evidence.why == "its import needs the value of TABLE, which is only known at deploy time"


def test_evidence_time_limit_of_the_code_is_only_a_warning(tmp_path: Path) -> None:
    evidence, found = evidence_of(tmp_path, "raise TimeoutError", template=KNOWN)

    assert evidence.why == "its import gives up waiting, for which this machine may be too busy"
    assert found == ["warning: import-fails"]


def test_evidence_long_wait_on_a_busy_machine_is_only_a_warning(tmp_path: Path) -> None:
    subject = prove.gather(make(tmp_path), names=("One",))
    imported: Future[ImportResult | str] = Future()
    imported.set_result(ImportResult(Outcome.WAITED, text="waits"))

    waited = evidence._evidence(subject.evidence[0].mount, imported, subject.evidence[0].scan)
    faults = list(import_rules.check_import(cases.cases_of(replace(subject, evidence=(waited,)))[0]))

    assert (str(waited.method), waited.why) == ("static", "its import waits, or this machine is too busy")
    assert [(fault.severity, fault.what) for fault in faults] == [
        (Severity.WARNING, "the import of {functions} fails: waits")
    ]
    assert faults[0].fix.startswith("run inv prove One when this machine is at rest, or move it")


def judged(root: Path, imported: ImportResult | str, scanned: Scan | None = SCAN, **properties: Any) -> Evidence:
    """Return the evidence about a function whose import has this result."""
    resources = {"App": subjects.function(Layers=[{"Ref": "Libs"}], **properties), "Libs": subjects.layer()}
    trees = {"App": {"app.py": "", "data/a.txt": ""}, "Libs": {"python/b.txt": ""}}
    (mount,) = subjects.write(root, resources, trees).mounts
    future: Future[ImportResult | str] = Future()
    future.set_result(imported)
    return evidence._evidence(mount, future, scanned)


GUESSED: dict[str, Any] = {"Environment": {"Variables": {"TABLE": {"Fn::ImportValue": "table"}}}}
SDK = f"which the runtime or a public layer provides; for a real import run: {packages.how_to_install('boto3')}"


@pytest.mark.parametrize(
    ("kinds", "fields", "why"),
    [
        ("RuntimeError", {}, ""),
        ("RuntimeError", {"attempts": {"mount:/opt/a", "write"}}, "reads /opt/a, a path that exists only on Lambda"),
        ("TypeError", {"attempts": {"mount:/opt/a", "write"}}, ""),
        (
            "FileNotFoundError OSError",
            {"path": "/var/task/data/a.txt"},
            "reads /var/task/data/a.txt, a path that exists only on Lambda",
        ),
        (
            "FileNotFoundError OSError",
            {"path": "/opt/python/b.txt"},
            "reads /opt/python/b.txt, a path that exists only on Lambda",
        ),
        ("FileNotFoundError OSError", {"path": "/opt/python/c.txt"}, ""),
        ("OSError", {"path": "/opt/python/b.txt"}, ""),
        ("ModuleNotFoundError ImportError", {"name": "boto3"}, f"needs boto3, {SDK}"),
        ("ImportError", {"name": "numpy"}, ""),
        (
            "ModuleNotFoundError ImportError",
            {"name": "awslambdaric"},
            "needs awslambdaric, which the runtime or a public layer provides",
        ),
        ("ModuleNotFoundError ImportError", {"name": "numpy"}, ""),
    ],
)
def test_evidence_what_only_lambda_has_makes_no_finding(
    tmp_path: Path, kinds: str, fields: dict[str, Any], why: str
) -> None:
    result = judged(tmp_path, failed(kinds, fields))

    assert (str(result.method), result.why) == (("static", f"its import {why}") if why else ("imported", ""))
    assert (result.imported is None) is bool(why)
    assert (result.has_failed, result.is_certain) == (not why, not why)


@pytest.mark.parametrize(
    ("kinds", "fields", "why"),
    [
        ("TimeoutExpired", {}, "gives up waiting, for which this machine may be too busy"),
        ("RuntimeError", {"attempts": {"network"}}, "uses the network"),
        ("ModuleNotFoundError ImportError", {"name": "numpy"}, "needs numpy, which its file system may provide"),
        ("ImportError", {"name": "numpy"}, ""),
        (
            "OSError",
            {"attempts": {"library:libzbar.so.0", "library:libmagic.so.1"}},
            "loads libmagic.so.1, which may be missing on Lambda",
        ),
        ("OSError", {"attempts": {"library:libzbar.so.0"}}, ""),
        ("Error", {"text": "unsupported locale setting"}, "sets a locale, which this machine or Lambda may lack"),
    ],
)
def test_evidence_what_lambda_may_have_is_only_a_warning(
    tmp_path: Path, kinds: str, fields: dict[str, Any], why: str
) -> None:
    configs = [{"Arn": "arn", "LocalMountPath": "/mnt/lib"}]
    imported = failed(kinds, fields)

    result = judged(tmp_path, imported, replace(SCAN, changes_path=True), FileSystemConfigs=configs)

    assert (str(result.method), result.why) == (("static", f"its import {why}") if why else ("imported", ""))
    assert result.imported is imported


@pytest.mark.parametrize(
    ("kinds", "fields", "is_certain"),
    [
        ("ValueError", {"attempts": READ}, False),
        ("ValueError", {"attempts": {"program"}}, False),
        ("ValueError", {"attempts": {"semaphore"}}, True),
        ("ValueError", {}, True),
        *((kind, {}, True) for kind in ("ImportError", "SyntaxError", "NameError", "AttributeError", "TypeError")),
        ("SystemExit", {}, True),
        ("KeyError LookupError", {"key": "QUEUE"}, True),
        ("KeyError LookupError", {"key": "OTHER", "attempts": READ}, False),
        ("OSError", {"path": "/opt/none.txt"}, True),
        ("OSError", {"path": "/var/task/none.txt"}, True),
        ("OSError", {"path": "/mnt/none.txt", "attempts": READ}, False),
        ("RuntimeError", {"attempts": {"write"}}, True),
        ("FileNotFoundError OSError", {"attempts": {"outside"}}, True),
        ("RuntimeError", {"attempts": {"outside", *READ}}, False),
        ("OSError", {"attempts": {"library:libzbar.so.0"}}, True),
        ("RuntimeError", {"attempts": {"library:libzbar.so.0", *READ}}, False),
        ("OSError", {"attempts": {"semaphore"}}, True),
        ("RuntimeError", {"attempts": {"semaphore", *READ}}, False),
        ("FileNotFoundError OSError", {"attempts": READ}, False),
    ],
)
def test_evidence_unknown_value_may_be_the_reason(
    tmp_path: Path, kinds: str, fields: dict[str, Any], *, is_certain: bool
) -> None:
    reads = ((CodeLocation(Path("app.py"), 1, When.HANDLED), "QUEUE"),)

    result = judged(tmp_path, failed(kinds, fields), replace(SCAN, reads=reads), **GUESSED)

    why = "" if is_certain else "its import fails, and some of its variables are only known at deploy time"
    assert (result.guessed, result.is_certain, result.why) == (True, is_certain, why)


def failed(kinds: str, fields: dict[str, Any]) -> ImportResult:
    attempts = frozenset(fields.get("attempts", ()))
    return ImportResult(Outcome.FAILED, kinds=tuple(kinds.split()), **{**fields, "attempts": attempts})


def test_evidence_of_an_import_that_did_not_end_is_static(tmp_path: Path) -> None:
    result = judged(tmp_path, ImportResult(Outcome.UNFINISHED, python="3.12.1"))

    assert (str(result.method), result.why, result.imported, result.python) == (
        "static",
        "its import did not end, because this machine is too busy",
        None,
        "",
    )


def test_evidence_of_an_import_without_an_exception_is_certain(tmp_path: Path) -> None:
    crashed = judged(tmp_path, ImportResult(Outcome.ENDED, attempts=frozenset({"network"})), **GUESSED)
    sound = judged(tmp_path / "b", ImportResult(Outcome.RESOLVED, python="3.12.1"))

    assert (str(crashed.method), crashed.why, crashed.has_failed) == ("imported", "", True)
    assert (str(sound.method), sound.has_failed, sound.python, sound.guessed) == ("imported", False, "3.12.1", False)


def test_evidence_of_another_language_is_skipped(tmp_path: Path) -> None:
    named = judged(tmp_path, "", None, Runtime="nodejs22.x")
    unnamed = judged(tmp_path / "b", "", None, Runtime=None)

    assert [(str(result.method), result.why, result.scan) for result in (named, unnamed)] == [
        ("skipped", "its runtime is nodejs22.x", None),
        ("skipped", "its runtime is not named", None),
    ]


@pytest.mark.parametrize("text", ["import os\nos.chmod(__file__, 0o777)", "import multiprocessing as m\nm.Queue()"])
def test_evidence_what_lambda_refuses_is_an_error(tmp_path: Path, text: str) -> None:
    evidence, found = evidence_of(tmp_path, text)

    assert (str(evidence.method), found) == ("imported", ["error: import-fails"])


def test_evidence_locale_is_only_a_warning(tmp_path: Path) -> None:
    evidence, found = evidence_of(tmp_path, "import locale\nlocale.setlocale(locale.LC_ALL, 'xx_XX')", template=KNOWN)

    assert evidence.why == "its import sets a locale, which this machine or Lambda may lack"
    assert found == ["warning: import-fails"]


def test_evidence_missing_folder_above_the_own_is_of_the_project(tmp_path: Path) -> None:
    evidence, _ = evidence_of(tmp_path, "import os\nos.listdir('../Two')")

    assert evidence.imported is not None
    assert evidence.imported.attempts == {"outside"}


def test_evidence_says_which_python_imported_it(tmp_path: Path) -> None:
    evidence, _ = evidence_of(tmp_path, "import sys\nVERSION = sys.version_info")

    assert evidence.python.startswith("3.")
    assert evidence.python.count(".") == 2


def test_evidence_of_a_static_proof_names_no_python(tmp_path: Path) -> None:
    evidence, _ = evidence_of(
        tmp_path, "", template=TEMPLATE.replace("python3.12,", "python3.12, Architectures: [riscv],")
    )

    assert (str(evidence.method), evidence.python) == ("static", "")
    assert evidence.why.startswith("its architecture is riscv, this machine is ")


@pytest.mark.parametrize(
    ("library", "why", "expected"),
    [
        ("zbar", "", "error: library-not-loadable"),
        ("magic", "its import loads libmagic.so.1, which may be missing on Lambda", "warning: library-not-loadable"),
    ],
)
def test_evidence_library_that_find_library_does_not_find_is_named(
    tmp_path: Path, library: str, why: str, expected: str
) -> None:
    text = (
        f"from ctypes.util import find_library\nif not find_library('{library}'):\n    raise ImportError('{library}')"
    )

    evidence, found = evidence_of(tmp_path, text)

    assert (evidence.why, found) == (why, [expected])
