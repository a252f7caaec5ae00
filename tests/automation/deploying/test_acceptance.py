"""A deployment is accepted when it runs the code of the release and every function answers that it works."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from automation.deploying import acceptance
from automation.deploying.acceptance import Acceptance
from automation.deploying.connections import Connections
from automation.deploying.releases.records import Release, ReleasedStack, Smoke
from automation.system.digests import base64_of
from automation.system.errors import Finding
from automation.system.invocations import Invocation
from automation.system.stacks import StackResource, Stage
from automation.system.targets import Target

AWS = Target("eu-west-1")
BUILT, CHANGED = "a" * 64, "b" * 64
TEMPLATE = """
Resources:
  Till: {Type: AWS::Lambda::Function, Properties: {Code: {S3Bucket: shop, S3Key: till.zip}}}
"""
JSON = {"Resources": {"Stock": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {}}}}}
RELEASE = Release(
    7,
    stacks=(
        ReleasedStack("base", "shop-base", code={"Stock": BUILT}),
        ReleasedStack("app", "shop-app", code={"Till": BUILT}),
    ),
)
MESSAGE = {"health": True}
WELL = Invocation(answer={"healthy": True})


@dataclass
class Running:
    """What runs: CloudFormation and Lambda in one. A template is YAML text, or a mapping when it was JSON."""

    digests: dict[str, str] = field(default_factory=lambda: {"Stock": BUILT, "Till": BUILT})
    answers: dict[str, list[Invocation]] = field(default_factory=dict)
    messages: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def template(self, stack: str, stage: Stage, *, change_set: str = "") -> str | Mapping[str, Any]:
        assert (stage, change_set) == (Stage.PROCESSED, "")
        return TEMPLATE if stack == "shop-app" else JSON

    def resources(self, stack: str) -> tuple[StackResource, ...]:
        (name,) = self.functions(stack)
        return (StackResource(name, name, "AWS::Lambda::Function"),)

    def functions(self, stack_name: str) -> Mapping[str, str]:
        name = "Till" if stack_name == "shop-app" else "Stock"
        return {name: name}

    def function_digest(self, function: str) -> str:
        return base64_of(self.digests[function])

    def invoke(self, function: str, payload: Mapping[str, Any]) -> Invocation:
        self.messages.append((function, payload))
        answers = self.answers.get(function, [WELL])
        return answers.pop(0) if len(answers) > 1 else answers[0]


def run(running: Running, *, message: Mapping[str, Any] | None = MESSAGE, pauses: int = 0) -> Acceptance:
    services = dict.fromkeys(
        ("account", "stacks", "store", "table", "functions", "code", "tables", "data"), cast("Any", running)
    )
    return acceptance.run(RELEASE, Connections(**services), target=AWS, message=message, pauses_s=[0.0] * pauses)


def test_run_everything_works_is_passed() -> None:
    running = Running()

    assert run(running) == Acceptance(Smoke.PASSED, 2)
    assert sorted(name for name, _ in running.messages) == ["Stock", "Till"]
    assert {message["health"] for _, message in running.messages} == {True}


@pytest.mark.parametrize("function", ["Stock", "Till"])
def test_run_other_code_fails_before_anything_is_asked(function: str) -> None:
    running = Running()
    running.digests[function] = CHANGED

    result = run(running)

    assert (result.smoke, result.functions, running.messages) == (Smoke.FAILED, 0, [])
    (finding,) = result.findings
    assert finding.where == f"{'shop-app' if function == 'Till' else 'shop-base'}: {function}"
    assert finding.what.startswith("runs other code than the build")
    assert "--region eu-west-1" in finding.fix


def test_run_other_code_is_named_for_every_stack() -> None:
    running = Running(digests={"Stock": CHANGED, "Till": CHANGED})

    assert [finding.where for finding in run(running).findings] == ["shop-base: Stock", "shop-app: Till"]


def test_run_without_a_smoke_message_compares_the_code_only() -> None:
    running = Running()

    assert run(running, message=None) == Acceptance(Smoke.PASSED, 0, ())
    assert running.messages == []


def test_run_failed_function_is_a_finding() -> None:
    running = Running(answers={"Till": [Invocation(error="KeyError: 'TABLE'")]})

    assert run(running) == Acceptance(Smoke.FAILED, 2, (Finding("Till", "failed: KeyError: 'TABLE'"),))


def test_run_missing_setup_is_incomplete() -> None:
    running = Running(answers={"Till": [Invocation(answer={"incomplete": ["live/broker"]})]})

    assert run(running) == Acceptance(Smoke.INCOMPLETE, 2, (Finding("live/broker", "is not set up yet"),))


def test_run_failure_hides_what_is_only_missing() -> None:
    running = Running(
        answers={
            "Till": [Invocation(answer={"incomplete": ["live/broker"]})],
            "Stock": [Invocation(error="KeyError: 'TABLE'")],
        }
    )

    assert run(running) == Acceptance(Smoke.FAILED, 2, (Finding("Stock", "failed: KeyError: 'TABLE'"),))


def test_run_failed_function_is_asked_again_after_a_pause() -> None:
    running = Running(answers={"Till": [Invocation(error="AccessDenied"), WELL]})

    assert run(running, pauses=1).smoke is Smoke.PASSED
    assert [name for name, _ in running.messages].count("Till") == 2


@pytest.mark.parametrize(
    ("smoke", "names", "expected", "left"),
    [
        (Smoke.INCOMPLETE, ["/shop/a", "/shop/b"], Smoke.PASSED, []),
        (Smoke.INCOMPLETE, ["/shop/a", "Sender"], Smoke.INCOMPLETE, ["Sender"]),
        (Smoke.FAILED, ["/shop/a"], Smoke.FAILED, ["/shop/a"]),
        (Smoke.PASSED, [], Smoke.PASSED, []),
    ],
)
def test_without_what_is_missing_on_purpose(smoke: Smoke, names: list[str], expected: Smoke, left: list[str]) -> None:
    result = Acceptance(smoke, 2, tuple(Finding(name, "is not set up yet") for name in names))

    kept = acceptance.without(result, ("/shop/a", "/shop/b"))

    assert (kept.smoke, kept.functions) == (expected, 2)
    assert [finding.where for finding in kept.findings] == left


def test_record_keeps_the_rest_of_the_release() -> None:
    findings = (Finding("Till", "failed: x"),)

    recorded = acceptance.record(RELEASE, Acceptance(Smoke.FAILED, 2, findings))

    assert recorded == replace(RELEASE, smoke=Smoke.FAILED, smoke_findings=findings)


@pytest.mark.parametrize(
    ("result", "out", "err"),
    [
        (Acceptance(Smoke.PASSED, 2), "2 functions answered\n", ""),
        (Acceptance(Smoke.PASSED, 0), "", ""),
        (Acceptance(Smoke.FAILED, 2, (Finding("Till", "failed: x"),)), "", ""),
        (
            Acceptance(Smoke.INCOMPLETE, 3, (Finding("live/broker", "is not set up yet"),)),
            "3 functions answered\n",
            "warning: the smoke test is incomplete: live/broker: is not set up yet\n",
        ),
    ],
)
def test_show_counts_answers_and_warns(
    result: Acceptance, out: str, err: str, capsys: pytest.CaptureFixture[str]
) -> None:
    acceptance.show(result)

    captured = capsys.readouterr()
    assert (captured.out, captured.err) == (out, err)


def test_summary_says_the_same_about_several_functions_once() -> None:
    findings = [Finding("Till", "failed: no"), Finding("Ledger", "failed: late"), Finding("Stock", "failed: no")]

    assert acceptance.summary(findings) == "Till, Stock: failed: no; Ledger: failed: late"
    assert acceptance.summary([]) == ""
