"""Which failed imports count, and which are only proven statically. Each import really runs."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest

from automation import prove
from automation.proof import cases, evidence, import_rules
from automation.proof.evidence import Evidence
from automation.proof.imports import ImportResult, Outcome
from automation.proof.model import Severity
from automation.system import packages
from tests.automation.proof.small import TEMPLATE, make

HANDLER = "\n\ndef handler(event, context): ...\n"
# Nothing of this environment is only known at deploy time.
KNOWN = TEMPLATE.replace(", TABLE: !Ref Table", "")


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
