import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from automation import init
from automation.authoring import project_files
from automation.authoring.project_files import ProjectFile
from automation.project import model
from automation.system import console
from automation.system.errors import CheckFailedError, ConfigurationError, UsageError
from tests.automation.deploying.changing_stacks import Person
from tests.automation.projects import write_files

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.12, CodeUri: src/, Handler: app.handler}
"""
SOURCE = "def handler(event, context): ...\n"


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    write_files(tmp_path, {"template.yaml": TEMPLATE, "src/app.py": SOURCE})
    return tmp_path


class Runs:
    """Stands for the first build and proof, and records where it ran."""

    def __init__(self) -> None:
        self.roots: list[Path] = []

    def __call__(self, root: Path, *, variables: Mapping[str, str]) -> None:
        assert variables == {"A": "b"}
        self.roots.append(root)


def start(root: Path, *, yes: bool = True) -> list[Path]:
    runs = Runs()
    init.start(root, yes=yes, variables={"A": "b"}, run_first=runs)
    return runs.roots


def test_start_writes_what_is_missing_and_runs_the_first_proof(
    foreign: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(foreign) == [foreign]

    assert (foreign / "tasks.py").read_text() == project_files.TASKS
    assert (foreign / "noxfile.py").read_text() == project_files.SESSIONS
    assert (foreign / "pyproject.toml").read_text() == project_files.settings_text((), {})
    output = capsys.readouterr().out
    assert 'tasks.py: new\n    """The tasks of the automation."""\n' in output
    assert output.endswith("written: tasks.py, noxfile.py, pyproject.toml\n\n")


def test_start_again_changes_nothing_and_proves(foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start(foreign)
    capsys.readouterr()

    assert start(foreign, yes=False) == [foreign]
    assert capsys.readouterr().out.splitlines() == [
        "tasks.py: exists and has what is needed",
        "",
        "noxfile.py: exists and has what is needed",
        "",
        "pyproject.toml: exists and has what is needed",
        "",
    ]


def test_start_existing_files_stay_and_the_lines_to_add_are_shown(
    foreign: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = {"tasks.py": "ns = 1\n", "noxfile.py": "import nox\n", "pyproject.toml": "[tool.black]\n", ".git/HEAD": ""}
    write_files(foreign, own)

    assert start(foreign, yes=False) == [foreign]

    assert {name: (foreign / name).read_text() for name in own} == own
    output = capsys.readouterr().out
    assert "noxfile.py: exists and is not changed; add by hand\n    @nox.session" in output
    assert ".gitignore: exists and is not changed; add by hand\n    .aws-sam/\n" in output
    assert "written" not in output


def test_start_without_terminal_writes_nothing(foreign: Path) -> None:
    message = "init: nothing was written, because nobody can be asked here; add --yes"
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        start(foreign, yes=False)

    assert not (foreign / "tasks.py").exists()


def test_start_answer_that_is_not_y_writes_nothing(foreign: Path, person: Person) -> None:
    person.answers[:] = ["yes", "y"]

    message = "init: cancelled: nothing was written (type y to confirm)"
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        start(foreign, yes=False)
    assert not (foreign / "tasks.py").exists()

    assert start(foreign, yes=False) == [foreign]


def test_find_stacks_of_a_template_in_the_root_is_empty(foreign: Path) -> None:
    write_files(foreign, {"child/template.yaml": TEMPLATE})

    assert init.find_stacks(foreign) == ()


def test_find_stacks_of_subfolders_names_their_templates(tmp_path: Path) -> None:
    write_files(tmp_path, {"b/template.yaml": TEMPLATE, "a/sam.yml": TEMPLATE, "a/other.yml": "Resources: {}"})

    assert init.find_stacks(tmp_path) == ("a/sam.yml", "b/template.yaml")


def test_find_stacks_root_template_without_code_is_not_the_only_one(tmp_path: Path) -> None:
    write_files(tmp_path, {"template.yaml": "Resources: {}\n", "a/template.yaml": TEMPLATE})

    assert init.find_stacks(tmp_path) == ("a/template.yaml",)


def test_find_stacks_of_another_name_in_the_root_is_taken(tmp_path: Path) -> None:
    write_files(tmp_path, {"sam.yml": TEMPLATE})

    assert init.find_stacks(tmp_path) == ("sam.yml",)


def test_find_stacks_template_of_samconfig_that_is_missing_raises(tmp_path: Path) -> None:
    samconfig = '[default.build.parameters]\ntemplate_file = "lost.yaml"\n'
    write_files(tmp_path, {"sam.yml": TEMPLATE, "samconfig.toml": samconfig})

    with pytest.raises(ConfigurationError, match=r"^lost\.yaml: the template does not exist"):
        init.find_stacks(tmp_path)


@pytest.mark.parametrize(("folders", "more"), [("abc", ""), ("abcd", " and 1 more")])
def test_start_warns_of_templates_that_are_not_included(
    foreign: Path, folders: str, more: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(foreign, {f"{name}/template.yaml": TEMPLATE for name in folders})

    start(foreign)

    shown = f"a/template.yaml, b/template.yaml, c/template.yaml{more}"
    advice = "to include them, name every template in [[tool.alchemiser.stacks]], or run alchemiser init beside each"
    assert capsys.readouterr().err == f"warning: not part of this project: {shown}; {advice}\n"
    settings = '[tool.alchemiser]\nstacks = [{name = "main", template = "template.yaml"}]\n'
    write_files(foreign, {"pyproject.toml": settings, "tasks.py": project_files.TASKS})
    start(foreign)
    assert capsys.readouterr().err == ""


def test_start_without_other_templates_warns_of_nothing(foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start(foreign)

    assert capsys.readouterr().err == ""


def test_start_beside_a_pyproject_without_stacks_asks_for_them(tmp_path: Path) -> None:
    write_files(tmp_path, {"a/template.yaml": TEMPLATE, "pyproject.toml": "[project]\nname = 'x'\n"})
    message = "pyproject.toml: has no stacks yet: add the lines that are shown above, then run alchemiser init again"

    with pytest.raises(ConfigurationError, match=f"^{re.escape(message)}$"):
        start(tmp_path)

    assert (tmp_path / "tasks.py").is_file()


def test_find_stacks_without_any_template_raises(tmp_path: Path) -> None:
    message = "init: there is no SAM template here, nor in the folders below; run alchemiser init beside one"
    with pytest.raises(ConfigurationError, match=f"^{re.escape(message)}$"):
        init.find_stacks(tmp_path)


def test_find_stacks_template_that_cannot_be_parsed_raises(foreign: Path) -> None:
    (foreign / "template.yaml").write_text(f"{TEMPLATE}\n  - [")

    with pytest.raises(ConfigurationError, match=r"template\.yaml"):
        init.find_stacks(foreign)


@pytest.mark.parametrize(("count", "is_refused"), [(12, False), (13, True)])
def test_find_stacks_of_a_collection_of_samples_is_refused(tmp_path: Path, count: int, is_refused: bool) -> None:
    write_files(tmp_path, {f"{number:02}/template.yaml": TEMPLATE for number in range(count)})

    if not is_refused:
        assert len(init.find_stacks(tmp_path)) == count
        return
    message = "init: there are 13 templates, such as 00/template.yaml, 01/template.yaml, 02/template.yaml; "
    with pytest.raises(UsageError, match=f"^{re.escape(message)}run alchemiser init in the folder of one$"):
        init.find_stacks(tmp_path)


def test_settings_of_init_load_as_a_project(tmp_path: Path) -> None:
    write_files(tmp_path, {"b/template.yaml": TEMPLATE, "a/sam.yml": TEMPLATE, "a/src/app.py": SOURCE})

    start(tmp_path)

    loaded = model.load(tmp_path)
    assert [(stack.name, stack.build_dir) for stack in loaded.stacks] == [("a", ".aws-sam/a"), ("b", ".aws-sam/b")]


def test_show_prints_nothing_to_add_when_nothing_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    init.show([ProjectFile("a", "x\n", exists=False), ProjectFile("b", "", exists=True)])

    assert capsys.readouterr().out == "a: new\n    x\n\nb: exists and has what is needed\n\n"


def test_build_and_prove_prints_what_it_found(foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (foreign / "src/app.py").write_text("import nowhere\n")

    with pytest.raises(CheckFailedError):
        init.build_and_prove(foreign, variables={})

    output = capsys.readouterr().out
    assert "it was never built" in output
    assert "src/app.py:1" in output
    assert output.endswith("\nfrom now on: inv build, inv prove, inv size; inv lists all tasks\n")


def test_build_stale_is_silent_before_json(foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    init.build_stale(foreign, variables={}, is_silent=True)
    assert capsys.readouterr().out == ""

    (foreign / "src/app.py").write_text("x = 1\n")
    init.build_stale(foreign, variables={})
    assert "changed" in capsys.readouterr().out


def test_confirmation_names_the_files(foreign: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    questions: list[str] = []

    def ask(question: str) -> str:
        questions.append(question)
        return "y"

    monkeypatch.setattr(console, "is_interactive", lambda: True)
    monkeypatch.setattr(console, "ask", ask)

    start(foreign, yes=False)

    assert questions == ["write tasks.py, noxfile.py, pyproject.toml? type y:"]


def test_find_stacks_template_that_is_not_a_mapping_raises(tmp_path: Path) -> None:
    write_files(tmp_path, {"template.yaml": "- x\n"})

    with pytest.raises(ConfigurationError, match=r"template\.yaml"):
        init.find_stacks(tmp_path)


def test_build_stale_of_an_up_to_date_project_prints_nothing(foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (foreign / "pyproject.toml").touch()
    for _ in range(2):  # the second build has nothing to do, and notes it
        init.build_stale(foreign, variables={})
    capsys.readouterr()

    init.build_stale(foreign, variables={})

    assert capsys.readouterr().out == ""


def test_start_package_with_tasks_stays_and_no_file_replaces_it(
    foreign: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(foreign, {"tasks/__init__.py": "import invoke\n"})

    start(foreign)

    assert not (foreign / "tasks.py").exists()
    assert "tasks/__init__.py: exists and is not changed; add by hand\n    from automation" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "shown"), [("automation/robot.py", "automation/"), ("automation.py", "automation.py")]
)
def test_start_beside_code_of_our_name_is_refused(foreign: Path, file: str, shown: str) -> None:
    write_files(foreign, {file: ""})

    advice = "so tasks.py cannot import it; use alchemiser build and alchemiser prove"
    message = f"^{re.escape(shown)}: has the name of our package, {advice}$"
    with pytest.raises(ConfigurationError, match=message):
        start(foreign)
    assert not (foreign / "tasks.py").exists()


def test_start_file_of_another_encoding_is_read(foreign: Path) -> None:
    (foreign / "noxfile.py").write_bytes(b"# caf\xe9\n")

    assert start(foreign) == [foreign]


def test_start_beside_a_copied_automation_writes_tasks(foreign: Path) -> None:
    write_files(foreign, {"automation/commands.py": ""})

    assert start(foreign) == [foreign]
