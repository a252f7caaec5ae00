import json
import tomllib
from typing import Any

import pytest

from automation.authoring import project_files
from automation.authoring.project_files import ProjectFile

PRESENT = {
    "tasks.py": "from automation import commands\n",
    "noxfile.py": 'session.run("inv", "prove")\n',
    "pyproject.toml": "[tool.alchemiser]\n",
    ".gitignore": "/.aws-sam\n",
}


def section(**parameters: str) -> dict[str, Any]:
    return {"deploy": {"parameters": parameters}}


def settings(templates: tuple[str, ...] = (), **samconfig: Any) -> dict[str, Any]:
    document = tomllib.loads(project_files.settings_text(templates, samconfig))
    table: dict[str, Any] = document["tool"]["alchemiser"]
    return table


def planned(present: dict[str, str]) -> dict[str, ProjectFile]:
    return {file.path: file for file in project_files.plan(present, (), {})}


def test_plan_of_an_empty_project_has_three_new_files() -> None:
    assert project_files.plan({}, (), {}) == (
        ProjectFile("tasks.py", project_files.TASKS, exists=False),
        ProjectFile("noxfile.py", project_files.SESSIONS, exists=False),
        ProjectFile("pyproject.toml", project_files.settings_text((), {}), exists=False),
    )


def test_plan_of_a_complete_project_adds_nothing() -> None:
    assert [(file.text, file.exists) for file in project_files.plan(PRESENT, (), {})] == [("", True)] * 3


def test_plan_files_of_others_get_lines_to_add() -> None:
    present = {"tasks.py": "", "noxfile.py": "import nox\n", "pyproject.toml": "[project]\n", ".gitignore": ""}

    files = planned(present)

    assert all(file.exists for file in files.values())
    assert files["tasks.py"].text.endswith(
        "\n\nnamespace = commands.assemble(automation_tasks.collection(), commands.tasks_of(__name__))\n"
    )
    assert files["noxfile.py"].text == project_files.SESSIONS[project_files.SESSIONS.index("@nox") :]
    assert files["pyproject.toml"].text == project_files.settings_text((), {})
    assert files[".gitignore"].text == ".aws-sam/\n"


@pytest.mark.parametrize(
    ("text", "name"), [("ns = Collection()\n", "ns"), ("x = 1\nns=1\n", "ns"), ("  ns = 1\nrns = 1\n", "namespace")]
)
def test_plan_tasks_with_a_namespace_keep_its_name(text: str, name: str) -> None:
    assert f"\n{name} = commands.assemble(" in planned({"tasks.py": text})["tasks.py"].text


def test_texts_of_new_files_are_python() -> None:
    for text in (project_files.TASKS, project_files.SESSIONS, planned({"tasks.py": ""})["tasks.py"].text):
        assert text.endswith(")\n")
        compile(text, "new.py", "exec")


def test_settings_without_anything_to_name_are_an_empty_table_with_an_example() -> None:
    assert settings() == {}
    assert project_files.settings_text((), {}).endswith("is refused\n")


def test_settings_of_one_template_build_where_sam_does() -> None:
    assert settings(("backend/sam app.yml",))["stacks"] == [
        {
            "name": "backend",
            "template": "backend/sam app.yml",
            "build_dir": ".aws-sam/build",
            "config_env": "{env}",
        }
    ]


def test_settings_of_several_templates_keep_them_apart() -> None:
    stacks = settings(("a b/one.yaml", "a b/two.yaml", "Top.yaml", "-/x.yaml"))["stacks"]

    assert [(stack["name"], stack["build_dir"], stack["config_env"]) for stack in stacks] == [
        ("a-b", ".aws-sam/a-b", "{env}-a-b"),
        ("a-b-2", ".aws-sam/a-b-2", "{env}-a-b-2"),
        ("top", ".aws-sam/top", "{env}-top"),
        ("main", ".aws-sam/main", "{env}-main"),
    ]


def test_settings_third_template_of_a_folder_gets_the_next_number() -> None:
    stacks = settings(("a/1.yaml", "a/2.yaml", "a/3.yaml"))["stacks"]

    assert [stack["name"] for stack in stacks] == ["a", "a-2", "a-3"]


def test_settings_have_the_environments_that_can_be_deployed() -> None:
    samconfig = {
        "version": 0.1,
        "default": section(stack_name="app", region="eu-west-1"),
        "my prod": {
            "global": {"parameters": {"region": "us-east-1"}},
            "deploy": {"parameters": {"stack_name": "p"}},
        },
        "nameless": section(region="eu-west-1"),
        "homeless": section(stack_name="x"),
    }

    assert settings(("app/template.yaml",), **samconfig)["environments"] == {
        "default": {"region": "eu-west-1", "consent": "confirm"},
        "my prod": {"region": "us-east-1", "consent": "confirm"},
    }
    text = project_files.settings_text((), samconfig)
    assert "[tool.alchemiser.environments.default]" in text
    assert "# [tool.alchemiser.environments.prod]" not in text


def test_settings_of_several_templates_leave_environments_to_the_project() -> None:
    table = settings(("a/1.yaml", "b/2.yaml"), default=section(stack_name="app", region="eu-west-1"))

    assert "environments" not in table


def test_settings_quote_what_toml_would_misread() -> None:
    region = 'a"b'

    assert settings(default=section(stack_name="app", region=region))["environments"]["default"]["region"] == region
    assert json.dumps(region) in project_files.settings_text((), {"default": section(stack_name="a", region=region)})
