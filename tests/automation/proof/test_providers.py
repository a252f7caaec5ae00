"""Handlers behind wrappers, programs, layers by ARN, file systems and wrong names, as the whole proof reports them."""

from pathlib import Path

import pytest

from automation.proof.evidence import ProofMethod
from automation.proof.model import Severity
from automation.prove import prove
from tests.automation.proof.small import TEMPLATE, faults, make, reported

ONE = "functions/one/app.py"
HANDLER = "\n\ndef handler(event, context): ...\n"
REGION = "arn:aws:lambda:us-east-1"
NEAR = "; did you mean app?"
DATADOG = f"{REGION}:464622532012:layer:Datadog-Python312:1"
ADAPTER = f"{REGION}:753240598075:layer:LambdaAdapterLayerX86:24"


def template(properties: str, handler: str = "app.handler") -> str:
    """Return the template with other properties for One, which then mounts no layer of the project."""
    return TEMPLATE.replace("Handler: app.handler, Layers: [!Ref Common]", f"Handler: {handler}, {properties}")


def wrapped(own: str) -> str:
    layers = f"Layers: ['{REGION}:464622532012:layer:Datadog-Python312:1']"
    return template(
        f"{layers}, Environment: {{Variables: {{DD_LAMBDA_HANDLER: {own}}}}}", "datadog_lambda.handler.handler"
    )


def adapted() -> str:
    variables = "Environment: {Variables: {AWS_LAMBDA_EXEC_WRAPPER: /opt/bootstrap}}"
    return template(f"Layers: ['{ADAPTER}'], {variables}", "run.sh")


def test_prove_wrapped_handler_imports_the_functions_own(tmp_path: Path) -> None:
    proof = prove(make(tmp_path, {ONE: "import json" + HANDLER}, template=wrapped("app.handler")))

    assert (proof.functions[0].method, proof.broken[1:]) == (ProofMethod.IMPORTED, ())
    assert [broken.rule.id for broken in proof.broken] == ["layer-not-mounted"]


@pytest.mark.parametrize(
    ("own", "fix"),
    [
        ("app.handel", "correct DD_LAMBDA_HANDLER, or define it; did you mean handler?"),
        (
            "apq.handler",
            f"check that {DATADOG} provides it, or correct DD_LAMBDA_HANDLER, or CodeUri functions/one{NEAR}",
        ),
    ],
)
def test_handler_missing_behind_a_wrapper_names_its_variable(tmp_path: Path, own: str, fix: str) -> None:
    loaded = make(tmp_path, {ONE: "import json" + HANDLER}, template=wrapped(own))

    assert [fault.fix for fault in faults(loaded, "handler-missing")] == [fix]


def test_handler_of_an_unknown_layer_is_a_warning(tmp_path: Path) -> None:
    text = template(f"Layers: ['{REGION}:123456789012:layer:wrap:1']", "wrap.handler")

    assert ("handler-missing", "warning") in reported(make(tmp_path, template=text))


def test_handler_of_a_known_layer_is_accepted(tmp_path: Path) -> None:
    text = template(f"Layers: ['{REGION}:451483290750:layer:NewRelicPython312:1']", "newrelic.wrap.handler")

    assert faults(make(tmp_path, template=text), "handler-missing") == []


def test_handler_that_is_a_program_is_started_by_the_adapter(tmp_path: Path) -> None:
    loaded = make(tmp_path, {"functions/one/run.sh": "exec python server.py\n"}, template=adapted())
    (tmp_path / ".aws-sam/build/One/run.sh").chmod(0o755)
    (tmp_path / ".aws-sam/build/One/server.py").write_text("import json\n")

    proof = prove(loaded)

    assert proof.functions[0].method is ProofMethod.STATIC
    assert proof.errors == ()


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("start.sh", "Handler run.sh: the program is missing in the function's tree"),
        ("run.sh", "Handler run.sh: the program has no permission to run"),
    ],
)
def test_handler_that_is_a_program_must_be_there_and_run(tmp_path: Path, name: str, what: str) -> None:
    loaded = make(tmp_path, {f"functions/one/{name}": "exec python app.py\n"}, template=adapted())

    assert [fault.what for fault in faults(loaded, "handler-missing")] == [what]


def test_undeclared_import_of_a_started_module_names_the_script(tmp_path: Path) -> None:
    text = "exec python -m uvicorn web:app\n"
    loaded = make(
        tmp_path, {"functions/one/run.sh": text, "functions/one/web.py": "import fastapi\n"}, template=adapted()
    )

    assert [(fault.where, fault.fix.split()[1]) for fault in faults(loaded, "undeclared-import")] == [
        ("functions/one/run.sh", "uvicorn"),
        ("functions/one/web.py:1", "fastapi"),
    ]


def test_undeclared_import_with_a_file_system_is_a_warning(tmp_path: Path) -> None:
    text = "import sys\nsys.path.append('/mnt/lib')\nimport torch" + HANDLER
    configs = "FileSystemConfigs: [{Arn: arn, LocalMountPath: /mnt/lib}]"

    found_faults = faults(make(tmp_path, {ONE: text}, template=template(configs)), "undeclared-import")

    assert [(fault.severity, fault.fix.partition(", or ")[0]) for fault in found_faults] == [
        (Severity.WARNING, "check that /mnt/lib provides it")
    ]


def test_undeclared_import_from_an_added_folder_is_found(tmp_path: Path) -> None:
    top = "import sys\nsys.path.insert(0, '/var/task/vendor')\nimport kit, absent" + HANDLER
    sources = {ONE: top, "functions/one/vendor/kit.py": "import winreg_of_another_system\n"}

    loaded = make(tmp_path, sources, template=template("Architectures: [sparc]"))

    assert [fault.what.split(",")[0] for fault in faults(loaded, "undeclared-import")] == ["imports absent"]


def test_import_fails_for_a_wrong_name_of_an_own_module(tmp_path: Path) -> None:
    sources = {ONE: "from one.util import X" + HANDLER, "functions/one/util.py": "X = 1\n"}

    found_faults = faults(make(tmp_path, sources))

    assert [fault.fix for fault in found_faults] == [
        "functions/one/ is the root on Lambda: import util instead of one.util"
    ]


def test_sibling_import_by_the_name_of_the_folder_names_the_owner(tmp_path: Path) -> None:
    sources = {ONE: "from Two import money" + HANDLER, "functions/two/money.py": ""}

    found_faults = faults(make(tmp_path, sources), "sibling-import")

    assert [fault.what.partition(":")[0] for fault in found_faults] == [
        "imports Two, which is in the tree of Two but not of One"
    ]


@pytest.mark.parametrize(
    ("runtime", "module", "what", "fix"),
    [
        ("python3.12", "imp", "imports imp, which Python 3.12 no longer has", "import importlib instead"),
        ("python3.13", "crypt", "imports crypt, which Python 3.13 no longer has", "stop using it"),
        ("python3.12", "urllib2", "imports urllib2, which Python 3 does not have", "import urllib.request instead"),
        ("python3.10", "tomllib", "imports tomllib, which Python 3.10 does not have yet", "set Runtime to python3.11"),
    ],
)
def test_undeclared_import_of_another_pythons_stdlib_says_so(
    tmp_path: Path, runtime: str, module: str, what: str, fix: str
) -> None:
    text = template(f"Architectures: [sparc], Runtime: {runtime}")

    found_faults = faults(make(tmp_path, {ONE: f"import {module}" + HANDLER}, template=text), "undeclared-import")

    assert [(fault.what.startswith(what), fault.fix.startswith(fix)) for fault in found_faults] == [(True, True)]


def test_undeclared_import_of_python_2_under_a_condition_is_accepted(tmp_path: Path) -> None:
    text = "import sys\nPY3 = sys.version_info[0] > 2\nif not PY3:\n    import urlparse\n" + HANDLER

    assert faults(make(tmp_path, {ONE: text}), "undeclared-import") == []


def test_undeclared_import_of_setuptools_distutils_is_accepted(tmp_path: Path) -> None:
    loaded = make(tmp_path, {ONE: "import distutils" + HANDLER}, template=template("Architectures: [sparc]"))
    (tmp_path / ".aws-sam/build/One/distutils-precedence.pth").write_text("")

    assert faults(loaded, "undeclared-import") == []
