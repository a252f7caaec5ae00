from pathlib import Path

import pytest

from automation.deploying.changes import references
from automation.deploying.changes.references import StackTemplate
from automation.project import model
from automation.project.model import Project
from automation.system.errors import ConfigurationError, UsageError
from tests.automation.projects import APP, BASE, PYPROJECT, SAMCONFIG, make_shop
from tests.automation.repositories import commit, commit_all

LIVE_PARAMETERS = {
    "base": {"AWS::StackName": "shop-live-base"},
    "app": {"BaseStack": "shop-live-base", "AWS::StackName": "shop-live"},
}
PSEUDO = {"AWS::Region": "eu-west-1", "AWS::AccountId": "123456789012"}


@pytest.fixture
def repository(tmp_path: Path) -> Project:
    """Return the shop with a commit, and in the working copy a queue and another colour that are not committed."""
    root = make_shop(tmp_path / "shop")
    commit_all(root)
    (root / "app.yaml").write_text(f"{APP}  Queue:\n    Type: AWS::SQS::Queue\n")
    (root / "samconfig.toml").write_text(SAMCONFIG.replace("Colour=red", "Colour=blue"))
    return model.load(root)


def resources_of(stack: StackTemplate) -> list[str]:
    return list(stack.template["Resources"])


def test_templates_of_project_has_every_stack_with_all_sections(repository: Project) -> None:
    stacks = references.templates_of_project(repository, variables={})

    assert list(stacks) == ["base", "app"]
    assert resources_of(stacks["app"]) == ["Code", "Wheels", "Till", "Ledger", "Queue"]
    assert stacks["app"].template["Transform"] == "AWS::Serverless-2016-10-31"
    assert (stacks["app"].name, stacks["app"].parameters) == ("app.yaml", {})


def test_templates_of_project_with_environment_has_its_parameters(repository: Project) -> None:
    stacks = references.templates_of_project(repository, environment="live", variables={})

    assert {name: stack.parameters for name, stack in stacks.items()} == {
        name: {**parameters, **PSEUDO} for name, parameters in LIVE_PARAMETERS.items()
    }


def test_templates_of_project_without_account_leaves_it_unknown(repository: Project) -> None:
    stacks = references.templates_of_project(repository, environment="here", variables={})

    assert "AWS::AccountId" not in stacks["app"].parameters
    assert stacks["app"].parameters["AWS::Region"] == "us-east-1"


def test_templates_of_revision_has_the_committed_state(repository: Project) -> None:
    stacks = references.templates_of("HEAD", repository, environment="here", variables={"SHOP_PORT": "7"})

    assert list(stacks) == ["base", "app"]
    assert resources_of(stacks["app"]) == ["Code", "Wheels", "Till", "Ledger"]
    assert stacks["app"].parameters["Colour"] == "red"
    assert stacks["base"].parameters["Url"] == "http://127.0.0.1:7/"


def test_templates_of_revision_without_environment_has_no_parameters(repository: Project) -> None:
    stacks = references.templates_of("HEAD", repository, variables={})

    assert {name: stack.parameters for name, stack in stacks.items()} == {"base": {}, "app": {}}


def test_templates_of_revision_in_a_folder_of_the_repository(tmp_path: Path) -> None:
    root = make_shop(tmp_path / "services" / "shop")
    commit_all(tmp_path)

    assert list(references.templates_of("HEAD", model.load(root), variables={})) == ["base", "app"]


def test_templates_of_revision_leaves_the_working_copy_alone(repository: Project) -> None:
    before = (repository.root / "app.yaml").read_text()

    references.templates_of("HEAD", repository, variables={})

    assert (repository.root / "app.yaml").read_text() == before


def test_templates_of_revision_needs_only_todays_guards(tmp_path: Path) -> None:
    """Rules for the guards that came later, such as a pinned account, do not make an earlier revision unreadable."""
    without_account = PYPROJECT.replace('account = "123456789012"\n', 'parameters = {Machine = "arm64"}\n')
    root = make_shop(tmp_path, pyproject_toml=without_account)
    commit_all(root)
    (root / "pyproject.toml").write_text(PYPROJECT)

    stacks = references.templates_of("HEAD", model.load(root), environment="live", variables={})

    assert stacks["base"].parameters == {**LIVE_PARAMETERS["base"], "Machine": "arm64", **PSEUDO}


def test_templates_of_revision_with_unknown_environment_lists_the_known(repository: Project) -> None:
    with pytest.raises(UsageError, match="there is no environment 'moon'; the environments are: here, live"):
        references.templates_of("HEAD", repository, environment="moon", variables={})


def test_templates_of_revision_before_the_environment_names_what_is_missing(repository: Project) -> None:
    (repository.root / "samconfig.toml").write_text(SAMCONFIG.replace("[live", "[moon"))
    commit(repository.root)

    with pytest.raises(ConfigurationError) as raised:
        references.templates_of("HEAD", repository, environment="live", variables={})

    assert str(raised.value) == ("--against: at HEAD: samconfig.toml: [live-base.deploy.parameters]: has no stack_name")


def test_templates_of_unknown_reference_says_what_it_may_be(repository: Project) -> None:
    with pytest.raises(UsageError) as raised:
        references.templates_of("nowhere", repository, variables={})

    assert str(raised.value) == (
        "--against: 'nowhere' is neither a file nor a revision; list the revisions: git log --oneline"
    )


def test_templates_of_revision_without_repository_says_so(shop: Project) -> None:
    with pytest.raises(ConfigurationError, match=r"diff --against: needs a git repository"):
        references.templates_of("HEAD", shop, variables={})


def test_templates_of_file_is_the_stack_with_most_in_common(shop: Project, tmp_path: Path) -> None:
    file = tmp_path / "deployed.yaml"
    file.write_text(BASE)

    stacks = references.templates_of(str(file), shop, environment="live", variables={})

    assert list(stacks) == ["base"]
    assert (stacks["base"].name, resources_of(stacks["base"])) == (str(file), ["Code", "Stock"])
    assert stacks["base"].parameters == {**LIVE_PARAMETERS["base"], **PSEUDO}


def test_templates_of_file_in_json_is_read(shop: Project, tmp_path: Path) -> None:
    file = tmp_path / "deployed.json"
    file.write_text('{"Resources": {"Till": {"Type": "AWS::Lambda::Function"}}}')

    assert references.templates_of(str(file), shop, variables={}) == {
        "app": StackTemplate(str(file), {"Resources": {"Till": {"Type": "AWS::Lambda::Function"}}}, {})
    }


def test_templates_of_file_of_another_project_is_refused(shop: Project, tmp_path: Path) -> None:
    file = tmp_path / "other.yaml"
    file.write_text("Resources:\n  Other: {Type: AWS::SQS::Queue}\n")

    with pytest.raises(UsageError) as raised:
        references.templates_of(str(file), shop, variables={})

    assert str(raised.value) == f"--against: {file} has no resource in common with base.yaml, app.yaml"


def test_templates_of_file_that_is_not_a_template_is_refused(shop: Project, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text("{}")

    with pytest.raises(ConfigurationError, match="has no Resources, so it is not a template"):
        references.templates_of(str(tmp_path / "plan.json"), shop, variables={})
