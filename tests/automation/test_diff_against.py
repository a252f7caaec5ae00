"""`inv diff --against`: the templates of the working copy compared with a revision or a file, without credentials."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from automation import diff
from automation.deploying.changes.model import Action, Rank, Verdict
from automation.deploying.views.plan_view import PlanView, StackView
from automation.system.errors import UsageError
from tests.automation.deployable_shop import APP, BASE, ShopDeployments
from tests.automation.projects import PYPROJECT, write_files
from tests.automation.repositories import commit_all

REPOSITORY = Path(__file__).parents[2]
_START, _BASE, _APP = PYPROJECT.split("[[tool.alchemiser.stacks]]")
WITHOUT_BASE = f"{_START}[[tool.alchemiser.stacks]]{_APP}"


@pytest.fixture
def root(deployments: ShopDeployments) -> Path:
    """Return the shop with a commit, and nothing changed since."""
    commit_all(deployments.root)
    return deployments.root


def edit(root: Path, path: str, before: str, after: str) -> None:
    text = (root / path).read_text()
    assert before in text
    (root / path).write_text(text.replace(before, after))


def compare(root: Path, against: str = "HEAD", *, name: str = "live", allow: tuple[str, ...] = ()) -> PlanView:
    return diff.compare(root, name, variables={}, options=diff.Options(against=against, allow=allow))


def lines(view: PlanView) -> list[tuple[str, str, str]]:
    return [(line.stack, line.resource, line.what) for line in view.assessment.changes]


def test_compare_same_templates_are_nothing_to_do(root: Path) -> None:
    assert compare(root) == PlanView(
        environment="live",
        target="templates only",
        from_release="HEAD",
        to_commit="the working copy",
        stacks=(StackView("base", "base.yaml"), StackView("app", "app.yaml")),
        notes=("replacement is predicted from resource schemas; code is not compared",),
    )


def test_compare_predicts_a_replacement_from_the_schema(root: Path) -> None:
    edit(root, "base.yaml", "AttributeName: id", "AttributeName: day")

    view = compare(root)

    assert view.assessment.verdict is Verdict.FORBIDDEN
    assert [danger.name for danger in view.assessment.dangers] == ["replace:Sales"]
    assert compare(root, allow=("replace:Sales",)).assessment.verdict is Verdict.CONSENT


def test_compare_watched_parameter_of_samconfig_is_a_danger(root: Path) -> None:
    parameters = '"BaseStack=shop-live-base"]'
    edit(root, "samconfig.toml", parameters, '"BaseStack=shop-live-base", "Selling=on"]')

    view = compare(root)

    assert [danger.name for danger in view.assessment.dangers] == ["watched:Selling"]
    assert ("app", "Selling", "selling: off -> on") in lines(view)


def test_compare_watched_parameter_whose_default_changes_is_a_danger(root: Path) -> None:
    edit(root, "app.yaml", 'Default: "off"', 'Default: "on"')

    assert [danger.name for danger in compare(root).assessment.dangers] == ["watched:Selling"]
    assert [danger.name for danger in compare(root, name="").assessment.dangers] == ["watched:Selling"]


def test_compare_watched_property_is_a_danger(root: Path) -> None:
    edit(
        root,
        "pyproject.toml",
        'parameter = "Selling"\nforbid = ["on"]',
        'resource = "Till"\nproperty = "Handler"\nforbid = ["x"]',
    )
    edit(root, "app.yaml", "shop.till.handler.main", "x")

    assert [danger.name for danger in compare(root).assessment.dangers] == ["watched:Till"]


def test_compare_output_has_a_line(root: Path) -> None:
    edit(root, "base.yaml", "Outputs:\n", "Outputs:\n  Place: {Value: here}\n")

    (line,) = compare(root).assessment.changes

    assert (line.rank, line.stack, line.resource, line.action) == (Rank.OTHER, "base", "Place", Action.ADD)
    assert line.what == "Value: (none) -> here"


def test_compare_new_stack_is_shown_as_new(root: Path) -> None:
    """The earlier revision has one stack, but it is not a file: every stack of the working copy counts."""
    pyproject = (root / "pyproject.toml").read_text()
    (root / "pyproject.toml").write_text(WITHOUT_BASE)
    commit_all(root)
    (root / "pyproject.toml").write_text(pyproject)

    view = compare(root)

    assert view.stacks == (StackView("base", "base.yaml", is_new=True), StackView("app", "app.yaml"))
    assert {stack for stack, _, _ in lines(view)} == {"base"}


def test_compare_removed_stack_removes_its_resources(root: Path) -> None:
    (root / "pyproject.toml").write_text(WITHOUT_BASE)

    view = compare(root)

    assert view.stacks == (StackView("app", "app.yaml"),)
    assert "delete:Sales" in [danger.name for danger in view.assessment.dangers]


def test_compare_file_is_compared_with_its_stack_only(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "deployed.yaml"
    file.write_text(APP.replace('Default: "off"', 'Default: "on"'))
    edit(root, "base.yaml", "AttributeName: id", "AttributeName: day")

    view = compare(root, str(file))

    assert (view.stacks, view.from_release) == ((StackView("app", "app.yaml"),), str(file))
    assert lines(view)[0] == ("app", "Selling", "selling: on -> off")


def test_compare_unknown_reference_is_refused(root: Path) -> None:
    with pytest.raises(UsageError, match="'nowhere' is neither a file nor a revision"):
        compare(root, "nowhere")


@pytest.mark.parametrize(
    ("change", "exit_code"),
    [
        ({}, 0),
        ({"app.yaml": APP.replace("Handler: shop.till", "MemorySize: 512\n      Handler: shop.till")}, 7),
        ({"base.yaml": BASE.replace("AttributeName: id", "AttributeName: day")}, 3),
    ],
)
def test_diff_against_exits_with_the_verdict_and_calls_nobody(
    root: Path, change: Mapping[str, str], exit_code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(root, change)

    ended = diff.diff(
        root,
        "live",
        variables={},
        options=diff.Options(json=True, against="HEAD"),
        start_target=lambda: pytest.fail("started"),
        connect=lambda _scope: pytest.fail("connected"),
    )

    assert ended == exit_code
    assert json.loads(capsys.readouterr().out)["target"] == "templates only"


def test_diff_against_imports_no_sdk(root: Path) -> None:
    """It runs in review, where there are no credentials; boto3 is not even imported."""
    code = (
        "import sys; from pathlib import Path; from automation import diff; "
        f"diff.diff(Path({str(root)!r}), 'live', variables={{}}, options=diff.Options(against='HEAD')); "
        "sys.exit('boto3' in sys.modules)"
    )

    finished = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)

    assert (finished.returncode, finished.stderr) == (0, "")
