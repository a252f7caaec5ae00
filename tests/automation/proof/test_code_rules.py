"""The rules about code in cases that tests/faults does not plant: projects without settings, and guesses."""

from pathlib import Path

import pytest

from automation.project import model
from automation.proof.evidence import ProofMethod
from automation.proof.model import Severity
from automation.prove import prove
from tests.automation.proof.small import TEMPLATE, faults, install, make, reported

HANDLER = "\n\ndef handler(event, context):\n    {body}\n"
ONE = "functions/one/app.py"


def app(top: str = "", body: str = "pass") -> dict[str, str]:
    return {ONE: top + HANDLER.format(body=body)}


def test_prove_sound_project_without_settings_has_no_fault(tmp_path: Path) -> None:
    assert reported(make(tmp_path)) == []


@pytest.mark.parametrize(
    ("sources", "severity"),
    [
        (app("import pandas"), "error"),
        (app(body="import pandas"), "error"),
        (app(body="if event:\n        import pandas"), "warning"),
        (app("def later():\n    import pandas\n"), "warning"),
        (app("try:\n    import pandas\nexcept ImportError:\n    raise\n"), "error"),
    ],
)
def test_undeclared_import_without_settings_is_an_error_if_it_surely_runs(
    tmp_path: Path, sources: dict[str, str], severity: str
) -> None:
    assert reported(make(tmp_path, sources)) == [("undeclared-import", severity)]


def test_undeclared_import_with_a_fallback_is_accepted(tmp_path: Path) -> None:
    text = "try:\n    import ujson as json\nexcept ImportError:\n    import json\n"

    assert reported(make(tmp_path, app(text))) == []


def test_undeclared_import_as_a_fallback_is_a_fault(tmp_path: Path) -> None:
    text = "try:\n    import ujson as json\nexcept ImportError:\n    import rapidjson as json\n"

    assert [fault.where for fault in faults(make(tmp_path, app(text)), "undeclared-import")] == [f"{ONE}:4"]


def test_undeclared_import_in_another_layer_names_that_layer(tmp_path: Path) -> None:
    sources = {"functions/two/app.py": "import shared\n" + HANDLER.format(body="pass")}

    found_faults = faults(make(tmp_path, sources), "undeclared-import")

    assert found_faults[0].fix.startswith(
        "add !Ref Common to its Layers, or add the distribution that provides shared to functions/two/requirements.txt"
    )


def test_undeclared_import_names_the_distribution_and_the_file(tmp_path: Path) -> None:
    sources = {**app("import yaml"), "layers/common/requirements.txt": "PyYAML==6.0\n"}

    found_faults = faults(make(tmp_path, sources), "undeclared-import")

    assert (
        found_faults[0].fix == "layers/common/requirements.txt lists PyYAML, but the built tree lacks it: run inv build"
    )


@pytest.mark.parametrize(
    ("importer", "method", "fix"),
    [
        ("layers/common/python/shared/__init__.py", "", "--target layers/common/python -r layers/common/requirements"),
        ("layers/common/shared/__init__.py", "python3.12", "but the built tree lacks it: run inv build"),
        ("functions/one/app.py", "", "add PyYAML to functions/one/requirements.txt and run inv build"),
    ],
)
def test_undeclared_import_of_a_layer_that_is_zipped_as_it_is(
    tmp_path: Path, importer: str, method: str, fix: str
) -> None:
    metadata = f"Metadata: {{BuildMethod: {method}}}" if method else ""
    template = TEMPLATE.replace("Metadata: {BuildMethod: python3.12}", metadata)
    sources = {"layers/common/requirements.txt": "PyYAML==6.0\n", "layers/common/python/shared/__init__.py": ""}
    loaded = make(tmp_path, {**sources, importer: app("import yaml")[ONE]}, template=template)
    if not method:  # the build leaves the folder as it is
        tree = tmp_path / ".aws-sam/build/Common"
        (tree / "python").rename(tree / "inner")
        (tree / "inner/python").rename(tree / "python")

    found_faults = faults(loaded, "undeclared-import")

    assert [fix in fault.fix for fault in found_faults] == [True]


def test_undeclared_import_with_an_outside_layer_is_a_warning(tmp_path: Path) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:layer:pandas:1"
    template = TEMPLATE.replace("Layers: [!Ref Common]", f"Layers: [!Ref Common, '{arn}']")

    assert {severity for _, severity in reported(make(tmp_path, app("import pandas"), template=template))} == {
        "warning"
    }


def test_undeclared_import_with_a_changed_sys_path_is_a_warning(tmp_path: Path) -> None:
    text = "import sys\nsys.path.append('/tmp/vendor')\n"

    assert reported(make(tmp_path, app(text, "import pandas"))) == [("undeclared-import", "warning")]


def test_undeclared_import_in_an_installed_package_is_ignored(tmp_path: Path) -> None:
    loaded = make(tmp_path, app("import theirs"))
    install(tmp_path / ".aws-sam/build/One", "theirs", "def later():\n    import nowhere\n")

    assert faults(loaded, "undeclared-import") == []


def test_sibling_import_of_a_flat_project_names_the_owner(tmp_path: Path) -> None:
    sources = {**app("import money"), "functions/two/money.py": ""}

    found_faults = faults(make(tmp_path, sources), "sibling-import")

    assert [(fault.where, "tree of Two" in fault.what) for fault in found_faults] == [(f"{ONE}:1", True)]


def test_fault_of_several_functions_is_reported_once(tmp_path: Path) -> None:
    template = TEMPLATE.replace(
        "CodeUri: functions/two/, Handler: app.handler", "CodeUri: functions/one/, Handler: app.handler"
    )

    found_faults = faults(make(tmp_path, {ONE: "import pandas\n"}, template=template), "undeclared-import")

    assert [fault.what.partition(":")[0] for fault in found_faults] == [
        "imports pandas, which is missing in One and Two, the mounted layers and the runtime"
    ]


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        ("return os.environ['QUEUE']", "error"),
        ("return os.environ['QUEUE'] if event else ''", "warning"),
        ("return os.environ.get('QUEUE')", ""),
        ("return os.environ['AWS_REGION'], os.environ['TABLE'], os.environ['STAGE'], os.environ['_HANDLER']", ""),
    ],
)
def test_variable_unset_without_settings_is_an_error_if_it_surely_runs(
    tmp_path: Path, body: str, severity: str
) -> None:
    found_faults = reported(make(tmp_path, app("import os", body)))

    assert found_faults == ([("variable-unset", severity)] if severity else [])


def test_variable_unset_with_variables_from_an_intrinsic_is_accepted(tmp_path: Path) -> None:
    template = TEMPLATE.replace("Variables: {STAGE: test, TABLE: !Ref Table}", "Variables: !If [A, {X: 1}, {Y: 2}]")

    assert reported(make(tmp_path, app("import os", "return os.environ['QUEUE']"), template=template)) == []


def test_variable_unset_with_an_exec_wrapper_is_a_warning(tmp_path: Path) -> None:
    template = TEMPLATE.replace("STAGE: test", "STAGE: test, AWS_LAMBDA_EXEC_WRAPPER: /opt/start")
    loaded = make(tmp_path, app("import os", "return os.environ['QUEUE']"), template=template)

    assert ("variable-unset", "warning") in reported(loaded)


def test_data_file_lost_by_the_build_names_its_source(tmp_path: Path) -> None:
    body = "return open(os.path.join(os.path.dirname(__file__), 'a.json')).read()"
    loaded = make(tmp_path, {**app("import os", body), "functions/one/a.json": "{}"})
    (tmp_path / ".aws-sam/build/One/a.json").unlink()

    found_faults = faults(loaded, "data-file-absent")

    assert [(fault.where, fault.fix) for fault in found_faults] == [
        (f"{ONE}:4", "functions/one/a.json exists, but the build left it out: run inv build --force")
    ]


def test_data_file_lost_and_never_opened_by_name_is_a_warning(tmp_path: Path) -> None:
    loaded = make(tmp_path, {"layers/common/shared/rules.toml": ""})
    (tmp_path / ".aws-sam/build/Common/python/shared/rules.toml").unlink()

    found_faults = faults(loaded, "data-file-absent")

    assert [(fault.where, fault.severity) for fault in found_faults] == [
        ("layers/common/shared/rules.toml", Severity.WARNING)
    ]


def test_data_file_beside_a_function_of_one_file_is_not_its_own(tmp_path: Path) -> None:
    template = TEMPLATE.replace("CodeUri: functions/one/", "CodeUri: functions/one/app.py")
    text = "def handler(event, context): ...\n"
    sources = {"functions/one/app.py": text, "functions/one/zips/big.zip": "", "functions/one/notes.txt": ""}
    make(tmp_path, sources, template=TEMPLATE)
    (tmp_path / "template.yaml").write_text(template)
    for name in ("zips/big.zip", "notes.txt"):
        (tmp_path / ".aws-sam/build/One" / name).unlink()

    loaded = model.load(tmp_path)

    assert faults(loaded, "data-file-absent") == []
    assert prove(loaded).outdated == ()
    (tmp_path / "functions/one/app.py").write_text(f"{text}\n")
    assert prove(loaded).outdated == ("functions/one/app.py",)


def test_data_file_of_a_template_loader_is_searched_in_its_folder(tmp_path: Path) -> None:
    top = (
        "from pathlib import Path\ntry:\n    from jinja2 import Environment, FileSystemLoader\n"
        "except ImportError:\n    pass\n\ndef page():\n"
        "    return Environment(loader=FileSystemLoader(Path(__file__).parent / 'pages')).get_template('mail.html')\n"
    )
    loaded = make(tmp_path, {**app(top), "functions/one/pages/other.html": ""})

    assert [fault.what for fault in faults(loaded, "data-file-absent")] == [
        "opens /var/task/pages/mail.html, which is missing in what One mounts"
    ]


def test_data_file_relative_to_the_working_folder_is_a_warning(tmp_path: Path) -> None:
    assert reported(make(tmp_path, app(body="return open('a.json')"))) == [("data-file-absent", "warning")]


def test_stdlib_shadow_that_the_runtime_imports_is_an_error(tmp_path: Path) -> None:
    loaded = make(
        tmp_path, {**app("import boto3\nfrom botocore import httpsession\n"), "functions/one/queue.py": "Q = 1\n"}
    )

    found_faults = faults(loaded)

    assert [fault.severity for fault in found_faults] == [Severity.ERROR]
    assert "'queue'" in found_faults[0].what


def test_stdlib_shadow_that_nothing_imports_is_a_warning(tmp_path: Path) -> None:
    assert reported(make(tmp_path, {"functions/one/calendar.py": ""})) == [("stdlib-shadowing", "warning")]


def test_stdlib_shadow_with_identical_content_is_accepted(tmp_path: Path) -> None:
    import colorsys  # noqa: PLC0415 - any module of the stdlib that is one small file

    assert reported(make(tmp_path, {"functions/one/colorsys.py": Path(str(colorsys.__file__)).read_text()})) == []


def test_namespace_shadow_of_a_needed_module_is_an_error(tmp_path: Path) -> None:
    sources = {
        **app("import shared.prices"),
        "functions/one/shared/__init__.py": "",
        "layers/common/shared/prices.py": "",
    }

    assert reported(make(tmp_path, sources)) == [("namespace-shadowing", "error")]


def test_namespace_shadow_of_an_unneeded_module_is_a_warning(tmp_path: Path) -> None:
    sources = {"functions/one/shared/__init__.py": "", "layers/common/shared/prices.py": ""}

    assert reported(make(tmp_path, sources)) == [("namespace-shadowing", "warning")]


def test_namespace_shadow_of_two_whole_packages_is_accepted(tmp_path: Path) -> None:
    assert reported(make(tmp_path, {"functions/one/shared/__init__.py": ""})) == []


@pytest.mark.parametrize(
    ("top", "part"),
    [
        ("import boto3\nboto3.client('s3').list_buckets()\n", "network"),
        ("import os\nint(os.environ['TABLE'])\n", "only known at deploy time"),
        ("NAME = 'prices'\nopen(f'/opt/python/shared/{NAME}.txt')\n", "a path that exists only on Lambda"),
    ],
)
def test_prove_import_that_needs_lambda_falls_back_to_static(tmp_path: Path, top: str, part: str) -> None:
    proof = prove(make(tmp_path, {**app(top), "layers/common/shared/prices.txt": ""}))

    function = proof.functions[0]
    assert (function.method, part in function.why) == (ProofMethod.STATIC, True)
    assert proof.errors == ()


def test_prove_another_platform_falls_back_to_static(tmp_path: Path) -> None:
    template = TEMPLATE.replace("CodeUri: functions/one/,", "CodeUri: functions/one/, Architectures: [sparc],")

    proof = prove(make(tmp_path, app("import nowhere\nimport shared\nimport boto3"), template=template))

    assert proof.functions[0].method is ProofMethod.STATIC
    assert "undeclared-import" in [broken.rule.id for broken in proof.errors]


@pytest.mark.parametrize(
    ("sources", "rule"),
    [
        ({ONE: "def handle(e, c): ...\n"}, "handler-missing"),
        ({ONE: "handler = {}\n"}, "handler-not-callable"),
        ({ONE: "def handler(e, c)\n"}, "import-fails"),
        ({ONE: "from shared import prices\n\ndef handler(e, c): ...\n"}, "import-fails"),
    ],
)
def test_prove_static_finds_what_an_import_would(tmp_path: Path, sources: dict[str, str], rule: str) -> None:
    template = TEMPLATE.replace("CodeUri: functions/one/,", "CodeUri: functions/one/, Architectures: [sparc],")

    assert reported(make(tmp_path, sources, template=template)) == [(rule, "error")]


def test_prove_another_language_is_skipped(tmp_path: Path) -> None:
    template = TEMPLATE.replace("CodeUri: functions/two/,", "CodeUri: functions/two/, Runtime: nodejs22.x,")

    proof = prove(make(tmp_path, template=template))

    assert [(function.method, function.why) for function in proof.functions][1] == (
        ProofMethod.SKIPPED,
        "its runtime is nodejs22.x",
    )


def test_handler_missing_in_an_empty_tree_says_so(tmp_path: Path) -> None:
    loaded = make(tmp_path)
    (tmp_path / ".aws-sam/build/Two/app.py").unlink()

    found_faults = faults(loaded, "handler-missing")

    assert [fault.what for fault in found_faults] == [
        "its built tree has no Python files, so the module app is missing"
    ]


def test_import_fails_names_the_missing_compiled_part(tmp_path: Path) -> None:
    loaded = make(tmp_path, app("import fast"))
    (tmp_path / ".aws-sam/build/One/fast").mkdir()
    (tmp_path / ".aws-sam/build/One/fast/__init__.py").write_text("from fast._core import run\n")

    found_faults = faults(loaded, "import-fails")

    assert (
        found_faults[0].fix == "run inv build --force: fast._core is missing there, or is for another Python or machine"
    )


def test_import_fails_for_a_file_that_no_layer_has(tmp_path: Path) -> None:
    found_faults = faults(make(tmp_path, app("NAME = 'x'\nopen(f'/opt/{NAME}.txt')\n")), "import-fails")

    assert [(fault.where, fault.severity) for fault in found_faults] == [(f"{ONE}:2", Severity.ERROR)]


def test_variable_unset_at_import_is_an_error_despite_unknown_values(tmp_path: Path) -> None:
    proof = prove(make(tmp_path, app("import os\nos.environ['QUEUE']\n")))

    assert proof.functions[0].method is ProofMethod.IMPORTED
    assert [(broken.rule.id, broken.fault.severity) for broken in proof.broken] == [("variable-unset", Severity.ERROR)]


def test_variable_unset_in_two_templates_names_both_in_the_fix(tmp_path: Path) -> None:
    settings = """
[[tool.alchemiser.stacks]]
name = "a"
template = "template.yaml"
build_dir = ".aws-sam/a"
config_env = "a"
[[tool.alchemiser.stacks]]
name = "b"
template = "b.yaml"
build_dir = ".aws-sam/b"
config_env = "b"
"""
    (tmp_path / "b.yaml").write_text(TEMPLATE)

    found_faults = faults(
        make(tmp_path, app("import os", "return os.environ['QUEUE']"), settings=settings), "variable-unset"
    )

    assert ["in template.yaml" in fault.fix and "in b.yaml" in fault.fix for fault in found_faults] == [True]


def test_import_fails_once_for_all_modules_of_an_unmounted_layer(tmp_path: Path) -> None:
    settings = '[tool.alchemiser]\npackage = "shop"\n'
    sources = {
        "functions/one/shop/one/app.py": "import shop.all.a\nfrom shop.all import b\n" + HANDLER.format(body="pass"),
        "layers/common/shop/all/a.py": "",
        "layers/common/shop/all/b.py": "",
    }
    template = TEMPLATE.replace("Handler: app.handler, Layers: [!Ref Common]", "Handler: shop.one.app.handler")

    found_faults = faults(make(tmp_path, sources, template=template, settings=settings), "import-fails")

    assert [fault.fix for fault in found_faults] == ["add !Ref Common to Layers of One in template.yaml"]


def test_undeclared_import_of_several_lines_is_one_fault(tmp_path: Path) -> None:
    loaded = make(tmp_path, app("def a():\n    import pandas\n\ndef b():\n    import pandas.io\n"))

    found_faults = faults(loaded, "undeclared-import")

    assert [(fault.where, "(1 other line too)" in fault.what) for fault in found_faults] == [(f"{ONE}:2", True)]
