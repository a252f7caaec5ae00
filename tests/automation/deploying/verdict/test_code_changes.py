"""Lines about code: functions with the reason, layers in one line per stack."""

from typing import Any

from automation.deploying.changes.model import Expanded, Rank, Verdict
from automation.deploying.verdict import code_changes, dangers
from automation.deploying.verdict.aspects import Facts
from tests.automation.deploying.planned_changes import FUNCTION, assess, compare, lines, resource, update

LAYER = code_changes.LAYER


def code(key: str) -> dict[str, Any]:
    return {"Code": {"S3Bucket": "b", "S3Key": key}}


def layered(*names: str) -> dict[str, Any]:
    return {"Layers": [{"Ref": name} for name in names]}


def test_changed_code_has_one_line_with_its_reason() -> None:
    facts = Facts(code_reasons={"X": "imports shared/values.py"})

    assert lines(update(FUNCTION, code("a"), code("b"), facts)) == [("code: imports shared/values.py", False)]
    assert lines(update(FUNCTION, code("a"), code("b"))) == [("code: changed", False)]
    assert update(FUNCTION, code("a"), code("b")).changes[0].rank is Rank.CODE


def test_unchanged_code_has_no_line() -> None:
    assert lines(update(FUNCTION, code("a"), {**code("a"), "Timeout": 3})) == [("Timeout: (none) -> 3", False)]
    assert lines(assess({}, {"X": resource(FUNCTION, code("a"))})) == [("added", False)]


def layers(digit: str) -> dict[str, Any]:
    names = ("Shared", "Data")
    resources = {f"{name}{digit * 10}": resource(LAYER, {"Content": {"S3Key": digit}}) for name in names}
    return {**resources, "F": resource(FUNCTION, layered(f"Shared{digit * 10}", f"Data{digit * 10}"))}


def test_new_layers_are_one_line_per_stack_with_their_users() -> None:
    users = code_changes.layer_users("main", Expanded({"Resources": layers("b")}))

    assessment = dangers.assess(compare(layers("a"), layers("b")), Facts(layer_users=users))

    [line] = assessment.changes
    assert (line.rank, line.stack, line.resource, line.type) == (Rank.LAYERS, "main", "layers", LAYER)
    assert line.what == "Data, Shared: new versions; 1 function uses them"
    assert assessment.verdict is Verdict.SAFE


def test_layer_users_are_found_by_the_layers_name() -> None:
    template = {
        f"A{'0' * 10}": resource(LAYER),
        f"B{'1' * 10}": resource(LAYER),
        "F": resource(FUNCTION, layered(f"A{'0' * 10}")),
        "G": resource(FUNCTION, layered(f"A{'0' * 10}", f"B{'1' * 10}")),
        "Other": resource("AWS::SNS::Topic", layered(f"A{'0' * 10}")),
    }

    assert code_changes.layer_users("data", Expanded({"Resources": template})) == {
        ("data", "A"): frozenset({"F", "G"}),
        ("data", "B"): frozenset({"G"}),
    }


def test_one_layer_of_two_stacks_has_two_lines() -> None:
    before, after = ({f"A{digit * 10}": resource(LAYER, {"Content": digit})} for digit in "ab")
    changes = (*compare(before, after, stack="data"), *compare(before, after, stack="trading"))
    users = {("data", "A"): frozenset({"F", "G"})}

    assessment = dangers.assess(changes, Facts(layer_users=users))

    assert [(line.stack, line.what) for line in assessment.changes] == [
        ("data", "A: a new version; 2 functions use it"),
        ("trading", "A: a new version"),
    ]


def test_added_and_removed_layer_are_lines_of_their_own() -> None:
    layer = {"A": resource(LAYER)}

    for assessment, what in ((assess({}, layer), "added"), (assess(layer, {}), "removed")):
        [line] = assessment.changes
        assert (line.rank, line.what, line.needs_attention) == (Rank.LAYERS, what, False)


def test_published_version_is_one_line_about_code() -> None:
    before, after = ({f"V{digit * 10}": resource("AWS::Lambda::Version", {"Description": digit})} for digit in "ab")

    [line] = assess(before, after).changes

    assert (line.rank, line.what) == (Rank.CODE, "a new version is published")
