import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from automation import prove
from automation.project import model
from automation.project.skipped import Kind, Skipped
from automation.proof import rules
from automation.proof.model import Fault, Rule, Severity
from automation.proof.rules import BrokenRule
from automation.system import console
from automation.system.errors import CheckFailedError, ConfigurationError, UsageError
from tests.automation.proof.small import TEMPLATE, make

BROKEN = {"functions/one/app.py": "import pandas\n\ndef handler(event, context): ...\n"}
GUESS = {"functions/one/app.py": "def later():\n    import pandas\n\ndef handler(event, context): ...\n"}


def test_prove_sound_project_has_no_faults(tmp_path: Path) -> None:
    proof = prove.prove(make(tmp_path))

    assert [(function.mount.function.logical_id, str(function.method)) for function in proof.functions] == [
        ("One", "imported"),
        ("Two", "imported"),
    ]
    assert (proof.broken, dict(proof.unbuilt), proof.outdated) == ((), {}, ())


def test_prove_without_a_build_is_a_configuration_error(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / ".aws-sam/build/template.yaml").unlink()

    with pytest.raises(ConfigurationError, match="run inv build"):
        prove.prove(model.load(tmp_path))


def test_prove_names_imports_only_those_functions(tmp_path: Path) -> None:
    proof = prove.prove(make(tmp_path, BROKEN), names=["Two"])

    assert [function.mount.function.logical_id for function in proof.functions] == ["Two"]
    assert proof.broken == ()


def test_prove_counts_each_import_when_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []

    @contextmanager
    def steps(text: str, total: int) -> Iterator[Callable[[str], None]]:
        ended.append(f"{text} {total}")
        yield ended.append

    monkeypatch.setattr(console, "steps", steps)
    prove.prove(make(tmp_path, {"functions/two/app.py": "raise SystemExit"}))

    assert (ended[0], sorted(ended[1:])) == ("importing 2", ["One", "Two"])


def test_prove_unknown_name_lists_the_functions(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no function 'Tow'; did you mean Two\? The functions are: One, Two"):
        prove.prove(make(tmp_path), names=["Tow"])


def test_prove_takes_a_code_folder_as_a_name(tmp_path: Path) -> None:
    proof = prove.prove(make(tmp_path), names=["functions/two/"])

    assert [function.mount.function.logical_id for function in proof.functions] == ["Two"]


def test_prove_function_without_a_built_tree_is_listed(tmp_path: Path) -> None:
    loaded = make(tmp_path)
    built = tmp_path / ".aws-sam/build/template.yaml"
    built.write_text(built.read_text().replace("CodeUri: Two", "CodeUri: s3://bucket/two.zip"))

    proof = prove.prove(loaded)

    assert proof.unbuilt == {"Two": "was not built; run inv build"}
    assert proof.counts == "2 functions: 1 built, 1 not built; 1 layer: 1 built"
    with pytest.raises(ConfigurationError, match=r"^prove: Two not built, so not proven; run inv build$"):
        prove.require_no_errors(proof)
    with pytest.raises(ConfigurationError, match="Two not built"):
        prove.prove_once(loaded)
    assert prove.prove(loaded, names=["One"]).missing == ()


def test_prove_layer_without_a_built_tree_is_not_a_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loaded = make(tmp_path)
    built = tmp_path / ".aws-sam/build/template.yaml"
    built.write_text(built.read_text().replace("ContentUri: Common", "ContentUri: ../../layers/common"))

    proof = prove.prove(loaded)
    prove.show(proof)

    assert proof.unbuilt == {"Common": "was not built; run inv build"}
    assert (proof.missing, prove.prove(loaded, names=["Two"]).missing) == (("Common",), ())
    assert prove.prove(loaded, names=["One"]).missing == ("Common",)
    out = " ".join(capsys.readouterr().out.split())
    assert "layers without a built tree: Common" in out
    assert "outside the template:" not in out


def test_show_names_layers_that_a_condition_may_leave_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parameters = "Parameters: {Stage: {Type: String}}\nConditions: {Live: !Equals [!Ref Stage, live]}\n"
    layers = "Layers: !If [Live, [!Ref Common, !ImportValue far], !Ref AWS::NoValue]"
    template = f"{parameters}{TEMPLATE.replace('Layers: [!Ref Common]', layers)}"

    proof = prove.prove(make(tmp_path, template=template))
    prove.show(proof)

    assert (proof.broken, str(proof.functions[0].method)) == ((), "imported")
    out = " ".join(capsys.readouterr().out.split())
    assert "layers outside the template: !ImportValue far; layers that a condition may leave out: Common" in out


def test_show_project_of_layers_alone_has_nothing_to_prove(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proof = replace(prove.prove(make(tmp_path)), functions=(), counts="0 functions", seconds=0.0)

    prove.show(proof)

    assert capsys.readouterr().out == "\n0 functions\nnothing to prove; 0 error(s), 0 warning(s); 0.0 s\n"


def test_prove_application_without_its_template_is_not_a_pass(tmp_path: Path) -> None:
    loaded = make(tmp_path)
    absent = Skipped("Nested", Kind.APPLICATION, "has no template", "missing", is_fault=True)
    stacks = tuple(replace(stack, skipped=(absent,)) for stack in loaded.stacks)

    assert prove.prove(replace(loaded, stacks=stacks)).missing == ("Nested",)


def test_prove_stack_that_cannot_be_read_is_not_a_pass(tmp_path: Path) -> None:
    unread = ConfigurationError("is not valid YAML", where="data.yaml:2")
    loaded = replace(make(tmp_path), unread={"data": unread})

    proof = prove.prove(loaded)

    assert proof.unbuilt == {"stack data": "cannot be read: data.yaml:2: is not valid YAML"}
    assert proof.missing == ("stack data",)
    assert prove.prove(loaded, names=["One"]).missing == ()
    with pytest.raises(ConfigurationError, match=r"^data\.yaml:2: is not valid YAML$"):
        prove.prove(loaded, names=["Archive"])


IMAGE = """
  Three:
    Type: AWS::Serverless::Function
    Properties: {PackageType: Image}
"""


def test_prove_skipped_function_is_named_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(tmp_path)
    template = tmp_path / "template.yaml"
    template.write_text(template.read_text().rstrip() + IMAGE)

    proof = prove.prove(model.load(tmp_path))
    prove.show(proof)

    assert (proof.unbuilt, proof.missing) == ({"Three": "is a container image"}, ())
    lines = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    assert ["Three", "skipped", "is a container image"] in [[cell.strip() for cell in line] for line in lines]
    assert proof.counts == "3 functions: 2 built, 1 image skipped; 1 layer: 1 built"


def test_show_says_which_python_imported_each_function(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prove.show(prove.prove(make(tmp_path)))

    version = ".".join(map(str, sys.version_info[:3]))
    out = capsys.readouterr().out
    assert ["One", "imported", version] in [line.split()[:3] for line in out.splitlines()]
    assert out.splitlines()[-2] == "2 functions: 2 built; 1 layer: 1 built"


def test_show_same_name_in_two_stacks_is_shown_with_its_stack(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proof = prove.prove(make(tmp_path))
    one = proof.functions[0]
    child = replace(one, mount=replace(one.mount, stack=replace(one.mount.stack, name="main/Child")))

    prove.show(replace(proof, functions=(one, child)))

    out = capsys.readouterr().out
    assert "main: One " in out
    assert "main/Child: One " in out


def test_prove_changed_source_is_outdated(tmp_path: Path) -> None:
    loaded = make(tmp_path)
    (tmp_path / "functions/two/app.py").write_text("def handler(e, c): return 1\n")

    assert prove.prove(loaded).outdated == ("functions/two/app.py",)


def test_prove_sorts_errors_before_warnings(tmp_path: Path) -> None:
    sources = {**GUESS, "functions/two/app.py": BROKEN["functions/one/app.py"]}

    severities = [str(broken.fault.severity) for broken in prove.prove(make(tmp_path, sources)).broken]

    assert severities == ["error", "warning"]


def test_require_no_errors_accepts_warnings(tmp_path: Path) -> None:
    proof = prove.prove(make(tmp_path, GUESS))

    prove.require_no_errors(proof)

    assert len(proof.warnings) == 1


def test_require_no_errors_fails_for_an_error(tmp_path: Path) -> None:
    with pytest.raises(CheckFailedError, match=r"1 fault\(s\) would fail on Lambda: undeclared-import") as caught:
        prove.require_no_errors(prove.prove(make(tmp_path, BROKEN)))

    assert caught.value.exit_code == 3


def test_show_prints_the_rule_the_place_the_reason_and_the_fix(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prove.show(prove.prove(make(tmp_path, BROKEN)))

    out = capsys.readouterr().out
    assert "error: undeclared-import" in out
    assert "functions/one/app.py:1: imports pandas" in out
    assert "its layers and the runtime" in out
    assert "fix: add pandas to functions/one/requirements.txt and run inv build" in out
    assert "2 imported; 1 error(s), 0 warning(s)" in out
    assert ["One", "failed"] in [line.split()[:2] for line in out.splitlines()]


def test_show_outdated_build_prints_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loaded = make(tmp_path)
    (tmp_path / "functions/two/app.py").write_text("def handler(e, c): return 1\n")

    prove.show(prove.prove(loaded))

    assert "the build is older than functions/two/app.py" in capsys.readouterr().err


def test_show_json_prints_functions_and_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prove.show_json(prove.prove(make(tmp_path, BROKEN)))

    printed = json.loads(capsys.readouterr().out)
    assert [(function["name"], function["how"]) for function in printed["functions"]] == [
        ("One", "imported"),
        ("Two", "imported"),
    ]
    assert [bool(function["python"]) for function in printed["functions"]] == [True, True]
    assert printed["counts"] == "2 functions: 2 built; 1 layer: 1 built"
    assert [error["rule"] for error in printed["errors"]] == ["undeclared-import"]
    assert set(printed["errors"][0]) == {"rule", "where", "what", "why", "fix"}


def test_findings_returns_the_errors(tmp_path: Path) -> None:
    findings = prove.findings(prove.prove(make(tmp_path, {**BROKEN})))

    assert [(finding.where, finding.what.partition(" ")[0]) for finding in findings] == [
        ("functions/one/app.py:1", "undeclared-import:")
    ]


def test_distinct_leaves_out_a_failure_that_another_rule_explains() -> None:
    by_id = {rule.id: rule for rule in rules.RULES}
    effect = BrokenRule(by_id["import-fails"], Fault("a.py:1", "fails", "", explains=("shop.till",)))
    other = Rule("nesting", "", "", lambda _: ())
    cause = BrokenRule(other, Fault("template.yaml: Code", "is nested", "", explains=("shop",)))

    assert rules.distinct([effect, cause]) == [cause]
    assert rules.distinct([effect]) == [effect]


MAGIC, EXPAT, ELSEWHERE = ("src", "libmagic.so.1"), ("src", "libexpat.so.1"), ("other", "libmagic.so.1")


def lacking(rule: str, severity: Severity, *libraries: tuple[str, str]) -> BrokenRule:
    by_id = {rule.id: rule for rule in rules.RULES}
    return BrokenRule(by_id[rule], Fault(rule, "lacks it", "", severity, libraries=frozenset(libraries)))


@pytest.mark.parametrize(
    ("needed", "loaded", "kept"),
    [
        ([MAGIC], [MAGIC], ["missing-library"]),
        ([MAGIC, EXPAT], [MAGIC], ["missing-library"]),
        ([MAGIC], [MAGIC, EXPAT], ["library-not-loadable", "missing-library"]),
        ([ELSEWHERE], [MAGIC], ["library-not-loadable", "missing-library"]),
        ([], [], ["library-not-loadable", "missing-library"]),
    ],
)
def test_distinct_names_a_library_that_is_needed_and_loaded_once(
    needed: list[tuple[str, str]], loaded: list[tuple[str, str]], kept: list[str]
) -> None:
    broken = [
        lacking("library-not-loadable", Severity.WARNING, *loaded),
        lacking("missing-library", Severity.WARNING, *needed),
    ]

    assert [item.rule.id for item in rules.distinct(broken)] == kept


def test_distinct_keeps_the_error_about_a_library() -> None:
    warning = lacking("missing-library", Severity.WARNING, MAGIC)
    error = lacking("library-not-loadable", Severity.ERROR, MAGIC, EXPAT)

    assert rules.distinct([warning, error]) == [error]


def test_distinct_keeps_both_places_of_one_rule() -> None:
    once, again = (lacking("library-not-loadable", Severity.WARNING, *pair) for pair in ((MAGIC,), (MAGIC, EXPAT)))

    assert rules.distinct([once, again]) == [once, again]


def test_fault_is_an_error_by_default() -> None:
    assert Fault("a", "b", "c").severity is Severity.ERROR
