"""The rules about code where the planted faults of tests/faults do not reach: other people's projects, and guesses."""

from pathlib import Path

import pytest

from automation.proof.evidence import How
from automation.proof.model import Severity
from automation.prove import prove
from tests.automation.proof.small import TEMPLATE, faults, install, make, told

HANDLER = "\n\ndef handler(event, context):\n    {body}\n"
ONE = "functions/one/app.py"


def app(top: str = "", body: str = "pass") -> dict[str, str]:
    return {ONE: top + HANDLER.format(body=body)}


def test_prove_sound_project_of_another_has_no_fault(tmp_path: Path) -> None:
    assert told(make(tmp_path)) == []


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
def test_undeclared_import_of_another_project_is_an_error_where_it_surely_runs(
    tmp_path: Path, sources: dict[str, str], severity: str
) -> None:
    assert told(make(tmp_path, sources)) == [("undeclared-import", severity)]


def test_undeclared_import_that_is_tried_first_is_no_fault(tmp_path: Path) -> None:
    text = "try:\n    import ujson as json\nexcept ImportError:\n    import json\n"

    assert told(make(tmp_path, app(text))) == []


def test_undeclared_import_in_place_of_an_absent_one_is_a_fault(tmp_path: Path) -> None:
    text = "try:\n    import ujson as json\nexcept ImportError:\n    import rapidjson as json\n"

    assert [one.where for one in faults(make(tmp_path, app(text)), "undeclared-import")] == [f"{ONE}:4"]


def test_undeclared_import_that_another_layer_has_names_it(tmp_path: Path) -> None:
    sources = {"functions/two/app.py": "import shared\n" + HANDLER.format(body="pass")}

    found = faults(make(tmp_path, sources), "undeclared-import")

    assert found[0].fix.startswith("add !Ref Common to its Layers, or add shared to functions/two/requirements.txt")


def test_undeclared_import_names_the_distribution_and_the_file(tmp_path: Path) -> None:
    sources = {**app("import yaml"), "layers/common/requirements.txt": "PyYAML==6.0\n"}

    found = faults(make(tmp_path, sources), "undeclared-import")

    assert found[0].fix == "layers/common/requirements.txt asks for PyYAML, and what was built has it not: build again"


def test_undeclared_import_a_layer_from_elsewhere_may_bring_is_a_warning(tmp_path: Path) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:layer:pandas:1"
    template = TEMPLATE.replace("Layers: [!Ref Common]", f"Layers: [!Ref Common, '{arn}']")

    assert {severity for _, severity in told(make(tmp_path, app("import pandas"), template=template))} == {"warning"}


def test_undeclared_import_of_a_module_behind_a_changed_path_is_a_warning(tmp_path: Path) -> None:
    text = "import sys\nsys.path.append('/tmp/vendor')\n"

    assert told(make(tmp_path, app(text, "import pandas"))) == [("undeclared-import", "warning")]


def test_undeclared_import_in_what_an_installer_put_there_is_not_read(tmp_path: Path) -> None:
    loaded = make(tmp_path, app("import theirs"))
    install(tmp_path / ".aws-sam/build/One", "theirs", "def later():\n    import nowhere\n")

    assert faults(loaded, "undeclared-import") == []


def test_sibling_import_of_a_flat_project_names_the_owner(tmp_path: Path) -> None:
    sources = {**app("import money"), "functions/two/money.py": ""}

    found = faults(make(tmp_path, sources), "sibling-import")

    assert [(one.where, "tree of Two" in one.what) for one in found] == [(f"{ONE}:1", True)]


def test_fault_that_several_functions_have_is_one(tmp_path: Path) -> None:
    template = TEMPLATE.replace(
        "CodeUri: functions/two/, Handler: app.handler", "CodeUri: functions/one/, Handler: app.handler"
    )

    found = faults(make(tmp_path, {ONE: "import pandas\n"}, template=template), "undeclared-import")

    assert [one.what.partition(",")[2].partition(" the runtime")[0] for one in found] == [
        " which neither One and Two, its layers nor"
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
def test_variable_unset_of_another_project_is_an_error_where_it_surely_runs(
    tmp_path: Path, body: str, severity: str
) -> None:
    found = told(make(tmp_path, app("import os", body)))

    assert found == ([("variable-unset", severity)] if severity else [])


def test_variable_unset_where_variables_are_an_intrinsic_is_unknown(tmp_path: Path) -> None:
    template = TEMPLATE.replace("Variables: {STAGE: test, TABLE: !Ref Table}", "Variables: !If [A, {X: 1}, {Y: 2}]")

    assert told(make(tmp_path, app("import os", "return os.environ['QUEUE']"), template=template)) == []


def test_variable_unset_that_a_wrapper_may_set_is_a_warning(tmp_path: Path) -> None:
    template = TEMPLATE.replace("STAGE: test", "STAGE: test, AWS_LAMBDA_EXEC_WRAPPER: /opt/start")
    loaded = make(tmp_path, app("import os", "return os.environ['QUEUE']"), template=template)

    assert ("variable-unset", "warning") in told(loaded)


def test_data_file_that_a_module_opens_and_the_build_lost_says_so(tmp_path: Path) -> None:
    body = "return open(os.path.join(os.path.dirname(__file__), 'a.json')).read()"
    loaded = make(tmp_path, {**app("import os", body), "functions/one/a.json": "{}"})
    (tmp_path / ".aws-sam/build/One/a.json").unlink()

    found = faults(loaded, "data-file-absent")

    assert [(one.where, one.fix) for one in found] == [
        (f"{ONE}:4", "functions/one/a.json is there, and the build left it out: build again")
    ]


def test_data_file_that_nothing_opens_by_name_and_the_build_lost_is_told(tmp_path: Path) -> None:
    loaded = make(tmp_path, {"layers/common/shared/rules.toml": ""})
    (tmp_path / ".aws-sam/build/Common/python/shared/rules.toml").unlink()

    found = faults(loaded, "data-file-absent")

    assert [(one.where, one.severity) for one in found] == [("layers/common/shared/rules.toml", Severity.WARNING)]


def test_data_file_of_a_template_loader_is_looked_for_where_it_loads(tmp_path: Path) -> None:
    top = (
        "from pathlib import Path\ntry:\n    from jinja2 import Environment, FileSystemLoader\n"
        "except ImportError:\n    pass\n\ndef page():\n"
        "    return Environment(loader=FileSystemLoader(Path(__file__).parent / 'pages')).get_template('mail.html')\n"
    )
    loaded = make(tmp_path, {**app(top), "functions/one/pages/other.html": ""})

    assert [one.what for one in faults(loaded, "data-file-absent")] == [
        "opens /var/task/pages/mail.html, which is not in what One mounts"
    ]


def test_data_file_of_the_working_folder_is_a_guess(tmp_path: Path) -> None:
    assert told(make(tmp_path, app(body="return open('a.json')"))) == [("data-file-absent", "warning")]


def test_stdlib_shadow_that_the_runtime_gets_is_an_error(tmp_path: Path) -> None:
    loaded = make(
        tmp_path, {**app("import boto3\nfrom botocore import httpsession\n"), "functions/one/queue.py": "Q = 1\n"}
    )

    found = faults(loaded)

    assert [one.severity for one in found] == [Severity.ERROR]
    assert "'queue'" in found[0].what


def test_stdlib_shadow_of_another_project_that_none_imports_is_a_warning(tmp_path: Path) -> None:
    assert told(make(tmp_path, {"functions/one/calendar.py": ""})) == [("stdlib-shadowing", "warning")]


def test_stdlib_shadow_that_is_the_same_file_is_none(tmp_path: Path) -> None:
    import colorsys  # noqa: PLC0415 - any module of the stdlib that is one small file

    assert told(make(tmp_path, {"functions/one/colorsys.py": Path(str(colorsys.__file__)).read_text()})) == []


def test_namespace_shadow_of_another_project_is_an_error_where_the_hidden_is_needed(tmp_path: Path) -> None:
    sources = {
        **app("import shared.prices"),
        "functions/one/shared/__init__.py": "",
        "layers/common/shared/prices.py": "",
    }

    assert told(make(tmp_path, sources)) == [("namespace-shadowing", "error")]


def test_namespace_shadow_of_what_none_needs_is_a_warning(tmp_path: Path) -> None:
    sources = {"functions/one/shared/__init__.py": "", "layers/common/shared/prices.py": ""}

    assert told(make(tmp_path, sources)) == [("namespace-shadowing", "warning")]


def test_package_that_two_trees_hold_whole_is_no_shadow(tmp_path: Path) -> None:
    assert told(make(tmp_path, {"functions/one/shared/__init__.py": ""})) == []


@pytest.mark.parametrize(
    ("top", "part"),
    [
        ("import boto3\nboto3.client('s3').list_buckets()\n", "network"),
        ("import os\nint(os.environ['TABLE'])\n", "CloudFormation"),
        ("NAME = 'prices'\nopen(f'/opt/python/shared/{NAME}.txt')\n", "a path that is there on Lambda alone"),
    ],
)
def test_import_that_needs_what_only_lambda_has_is_proven_by_reading(tmp_path: Path, top: str, part: str) -> None:
    proof = prove(make(tmp_path, {**app(top), "layers/common/shared/prices.txt": ""}))

    one = proof.functions[0]
    assert (one.how, part in one.why) == (How.STATIC, True)
    assert proof.errors == ()


@pytest.mark.parametrize("target", ["Architectures: [sparc]", "Runtime: python3.11"])
def test_other_target_is_proven_by_reading(tmp_path: Path, target: str) -> None:
    template = TEMPLATE.replace("CodeUri: functions/one/,", f"CodeUri: functions/one/, {target},")

    proof = prove(make(tmp_path, app("import nowhere\nimport shared\nimport boto3"), template=template))

    assert proof.functions[0].how is How.STATIC
    assert "undeclared-import" in [one.rule.id for one in proof.errors]


@pytest.mark.parametrize(
    ("sources", "rule"),
    [
        ({ONE: "def handle(e, c): ...\n"}, "handler-missing"),
        ({ONE: "handler = {}\n"}, "handler-not-callable"),
        ({ONE: "def handler(e, c)\n"}, "import-fails"),
        ({ONE: "from shared import prices\n\ndef handler(e, c): ...\n"}, "import-fails"),
    ],
)
def test_static_proof_finds_what_an_import_would(tmp_path: Path, sources: dict[str, str], rule: str) -> None:
    template = TEMPLATE.replace("CodeUri: functions/one/,", "CodeUri: functions/one/, Architectures: [sparc],")

    assert told(make(tmp_path, sources, template=template)) == [(rule, "error")]


def test_other_language_is_skipped(tmp_path: Path) -> None:
    template = TEMPLATE.replace("CodeUri: functions/two/,", "CodeUri: functions/two/, Runtime: nodejs22.x,")

    proof = prove(make(tmp_path, template=template))

    assert [(one.how, one.why) for one in proof.functions][1] == (How.SKIPPED, "its runtime is nodejs22.x")


def test_empty_tree_says_that_there_is_no_code(tmp_path: Path) -> None:
    loaded = make(tmp_path)
    (tmp_path / ".aws-sam/build/Two/app.py").unlink()

    found = faults(loaded, "handler-missing")

    assert [one.what for one in found] == ["its built tree holds no Python, so there is no module app"]


def test_compiled_part_that_is_missing_is_named(tmp_path: Path) -> None:
    loaded = make(tmp_path, app("import fast"))
    (tmp_path / ".aws-sam/build/One/fast").mkdir()
    (tmp_path / ".aws-sam/build/One/fast/__init__.py").write_text("from fast._core import run\n")

    found = faults(loaded, "import-fails")

    assert found[0].fix == "run inv build --force: fast._core is missing there, or is for another Python or machine"


def test_path_of_lambdas_that_no_layer_has_fails_the_import(tmp_path: Path) -> None:
    found = faults(make(tmp_path, app("NAME = 'x'\nopen(f'/opt/{NAME}.txt')\n")), "import-fails")

    assert [(one.where, one.severity) for one in found] == [(f"{ONE}:2", Severity.ERROR)]


def test_variable_unset_at_import_is_certain_whatever_else_is_unknown(tmp_path: Path) -> None:
    proof = prove(make(tmp_path, app("import os\nos.environ['QUEUE']\n")))

    assert proof.functions[0].how is How.IMPORTED
    assert [(one.rule.id, one.fault.severity) for one in proof.broken] == [("variable-unset", Severity.ERROR)]


def test_variable_unset_in_two_templates_is_mended_in_each(tmp_path: Path) -> None:
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

    found = faults(make(tmp_path, app("import os", "return os.environ['QUEUE']"), settings=settings), "variable-unset")

    assert ["in template.yaml" in one.fix and "in b.yaml" in one.fix for one in found] == [True]


def test_layer_that_is_not_mounted_is_one_fault_for_all_its_modules(tmp_path: Path) -> None:
    settings = '[tool.alchemiser]\npackage = "shop"\n'
    sources = {
        "functions/one/shop/one/app.py": "import shop.all.a\nfrom shop.all import b\n" + HANDLER.format(body="pass"),
        "layers/common/shop/all/a.py": "",
        "layers/common/shop/all/b.py": "",
    }
    template = TEMPLATE.replace("Handler: app.handler, Layers: [!Ref Common]", "Handler: shop.one.app.handler")

    found = faults(make(tmp_path, sources, template=template, settings=settings), "import-fails")

    assert [one.fix for one in found] == ["add !Ref Common to Layers of One in template.yaml"]


def test_undeclared_import_that_several_lines_want_is_one_fault(tmp_path: Path) -> None:
    loaded = make(tmp_path, app("def a():\n    import pandas\n\ndef b():\n    import pandas.io\n"))

    found = faults(loaded, "undeclared-import")

    assert [(one.where, "(1 other line too)" in one.what) for one in found] == [(f"{ONE}:2", True)]
