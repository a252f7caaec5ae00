"""What a proof prints, for people and for programs."""

from dataclasses import replace
from pathlib import Path

import pytest

from automation import prove
from automation.lambda_runtime.mounts import Mount
from automation.project import templates
from automation.project.model import Function, Project, Stack
from automation.project.settings import Settings
from automation.proof.evidence import Evidence, ProofMethod
from automation.proof.imports import ImportResult, Outcome
from automation.proof.model import Fault, Rule, Severity, Subject
from automation.proof.rules import BrokenRule
from automation.prove import Proof
from automation.system.errors import CheckFailedError, Finding

RULE = Rule("some-rule", "A title", "A reason", lambda _: ())
ERROR = BrokenRule(RULE, Fault("a.py:1", "is wrong", "correct it"))
AGAIN = BrokenRule(RULE, Fault("b.py:2", "is wrong, too", "correct both"))
WARNING = BrokenRule(Rule("a-guess", "Maybe", "Who knows", lambda _: ()), Fault("c", "d", "e", Severity.WARNING))
STACK = Stack("main", templates.parse("{Resources: {}}", name="t.yaml"), "", "", (), ())
FUNCTION = Function("One", "main", "app.main", "src", (), "python3.12", (), None, None)
RESOLVED = ImportResult(Outcome.RESOLVED, seconds=0.256, python="3.12.1")
ONE = Evidence(Mount(STACK, FUNCTION, Path("One"), ()), ProofMethod.IMPORTED, imported=RESOLVED)
FAILED = replace(
    ONE,
    mount=Mount(
        STACK,
        replace(FUNCTION, logical_id="Two"),
        Path("Two"),
        (),
        unknown=("arn:a:layer:b:1", "arn:c", "L"),
        unbuilt=("L",),
    ),
    imported=ImportResult(Outcome.FAILED, python="3.12.1"),
)
READ = Evidence(
    Mount(STACK, replace(FUNCTION, logical_id="Three"), Path("Three"), (), unknown=("arn:c",)),
    ProofMethod.STATIC,
    why="has no Python here",
)
PROOF = Proof(
    functions=(ONE, FAILED, READ),
    unbuilt={"Four": "is a container image"},
    counts="4 functions: 3 built, 1 image skipped",
    broken=(ERROR, AGAIN, WARNING),
    seconds=1.25,
    outdated=("src/a.py", "src/b.py", "src/c.py"),
)


def test_show_prints_functions_then_faults_by_rule_then_the_summary(capsys: pytest.CaptureFixture[str]) -> None:
    prove.show(PROOF)

    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "function how python import s remark",
        "One imported 3.12.1 0.26",
        "Two failed 3.12.1 layers outside the template: arn:a:layer:b:1, arn:c; layers without a built tree: L",
        "Three static has no Python here; layers outside the template: arn:c",
        "Four skipped is a container image",
        "",
        "error: some-rule. A title. A reason",
        "a.py:1: is wrong",
        "fix: correct it",
        "b.py:2: is wrong, too",
        "fix: correct both",
        "",
        "warning: a-guess. Maybe. Who knows",
        "c: d",
        "fix: e",
        "",
        "4 functions: 3 built, 1 image skipped",
        "2 imported, 1 static, 1 skipped; 2 error(s), 1 warning(s); 1.2 s",
    ]


@pytest.mark.parametrize(
    ("outdated", "shown"),
    [
        (("src/a.py",), "src/a.py; run"),
        (("src/a.py", "b"), "src/a.py and 1 more; run"),
        (("src/a.py", "b", "c"), "src/a.py and 2 more; run"),
    ],
)
def test_show_outdated_build_names_one_source(
    outdated: tuple[str, ...], shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    prove.show(replace(PROOF, outdated=outdated))

    assert f"the build is older than {shown} inv build, then inv prove\n" in capsys.readouterr().err


def test_show_sound_proof_has_no_faults(capsys: pytest.CaptureFixture[str]) -> None:
    prove.show(replace(PROOF, functions=(ONE,), unbuilt={}, broken=(), outdated=()))

    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == "1 imported; 0 error(s), 0 warning(s); 1.2 s"
    assert (captured.out.count("fix:"), captured.err) == (0, "")


def test_as_json_has_everything_that_is_shown() -> None:
    proof = replace(PROOF, functions=(FAILED, READ), broken=(ERROR, WARNING))

    function = {"stack": "main", "failed": False, "why": "", "python": "", "import_seconds": None}
    assert prove.as_json(proof) == {
        "functions": [
            {**function, "name": "Two", "how": "imported", "failed": True, "python": "3.12.1", "import_seconds": 0.0},
            {**function, "name": "Three", "how": "static", "why": "has no Python here"},
        ],
        "unbuilt": {"Four": "is a container image"},
        "counts": "4 functions: 3 built, 1 image skipped",
        "outdated": ["src/a.py", "src/b.py", "src/c.py"],
        "errors": [
            {"rule": "some-rule", "where": "a.py:1", "what": "is wrong", "why": "A reason", "fix": "correct it"}
        ],
        "warnings": [{"rule": "a-guess", "where": "c", "what": "d", "why": "Who knows", "fix": "e"}],
        "seconds": 1.25,
    }


def test_unbuilt_of_two_stacks_names_the_stack() -> None:
    stacks = tuple(replace(STACK, name=name, functions=(FUNCTION,)) for name in ("a", "b"))

    unbuilt = prove._unbuilt(Subject(Project(Path(), Settings(), stacks), (), {}, Path()))

    assert unbuilt == dict.fromkeys(["a: One", "b: One"], "was not built; run inv build")


def test_findings_are_the_errors() -> None:
    assert prove.findings(PROOF) == (
        Finding("a.py:1", "some-rule: is wrong", "correct it"),
        Finding("b.py:2", "some-rule: is wrong, too", "correct both"),
    )


def test_require_no_errors_names_each_rule_once() -> None:
    other = BrokenRule(Rule("another", "", "", lambda _: ()), ERROR.fault)

    with pytest.raises(CheckFailedError, match=r"^3 fault\(s\) would fail on Lambda: another, some-rule$") as caught:
        prove.require_no_errors(replace(PROOF, broken=(ERROR, AGAIN, other, WARNING)))

    assert caught.value.findings == ()
