"""The files with which a project uses an installed automation: tasks.py, noxfile.py and the settings. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from automation.project import sam_configuration, template_search
from automation.project.settings import PYPROJECT

TASKS_FILE = "tasks.py"
NOX_FILE = "noxfile.py"
GIT_FILE = ".gitignore"
BUILDS = ".aws-sam"
NAMES = (NOX_FILE, PYPROJECT, GIT_FILE)
_NAMESPACE = re.compile(r"^ns\s*=", re.MULTILINE)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")

TASKS = '''"""The tasks of the automation."""

from automation import commands, tasks

namespace = commands.assemble(tasks.collection())
'''
# For a tasks.py that has tasks of its own: they stay, and replace ours of the same name.
_MORE_TASKS = """from automation import commands
from automation import tasks as automation_tasks

{namespace} = commands.assemble(automation_tasks.collection(), commands.tasks_of(__name__))
"""
SESSIONS = '''"""Sessions of the automation, in the environment in which nox itself runs: `nox` runs both."""

import nox


@nox.session(python=False)
def prove(session: nox.Session) -> None:
    """Build every artifact and prove that it works on Lambda."""
    session.run("inv", "build")
    session.run("inv", "prove", *session.posargs)


@nox.session(python=False)
def size(session: nox.Session) -> None:
    """Build every artifact and compare it with its budget."""
    session.run("inv", "build")
    session.run("inv", "size", *session.posargs)
'''
_SETTINGS = """[tool.alchemiser]
# The build and the proof need no settings. With budgets, inv size fails when an artifact outgrows its own:
# budgets = { function_mb = 5, layer_mb = 60 }
"""
_STACK = """
[[tool.alchemiser.stacks]]
name = {name}
template = {template}
build_dir = {build_dir}
config_env = {config_env}
"""
_ENVIRONMENT = """
[tool.alchemiser.environments.{name}]
region = {region}
consent = "confirm" # a deployment asks for y; "word" asks for the name, and needs account = "123456789012"
"""
_EXAMPLE = """
# For inv diff and inv deploy; samconfig.toml has the stack_name of each environment:
# [tool.alchemiser.environments.prod]
# region = "eu-central-1"
# account = "123456789012" # a deployment to any other account is refused
"""


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """A file that a project needs.

    Attributes:
        text: its content; what a person should add when the file exists, empty when nothing is missing.
        exists: whether the project has the file, which is then not changed.
    """

    path: str
    text: str
    exists: bool


def plan(
    present: Mapping[str, str],
    templates: Sequence[str],
    samconfig: Mapping[str, Any],
    *,
    tasks_file: str = TASKS_FILE,
) -> tuple[ProjectFile, ...]:
    """Return the files that a project needs, in the order in which they are shown.

    Args:
        present: the texts of those of `NAMES` that exist, and of the file with the tasks.
        templates: the templates that the settings must name; none when the build finds its template without.
        samconfig: the content of samconfig.toml.
        tasks_file: the file with the project's tasks, which may be a package.
    """
    settings = settings_text(templates, samconfig)
    planned = [
        _file(tasks_file, present, TASKS, more=_more_tasks(present.get(tasks_file, "")), sign="automation"),
        _file(NOX_FILE, present, SESSIONS, more=SESSIONS.partition("\n\n\n")[2], sign='"prove"'),
        _file(PYPROJECT, present, settings, more=settings, sign="[tool.alchemiser"),
    ]
    if BUILDS not in present.get(GIT_FILE, BUILDS):
        planned.append(ProjectFile(GIT_FILE, f"{BUILDS}/\n", exists=True))
    return tuple(planned)


def settings_text(templates: Sequence[str], samconfig: Mapping[str, Any]) -> str:
    """Return the table `[tool.alchemiser]`: the stacks that it must name, and the environments of samconfig.toml."""
    text = _SETTINGS
    names = template_search.stack_names(templates)
    for name, template in names.items():
        is_only = len(names) == 1
        values = {
            "name": name,
            "template": template,
            "build_dir": f"{BUILDS}/build" if is_only else f"{BUILDS}/{name}",
            "config_env": "{env}" if is_only else f"{{env}}-{name}",
        }
        text += _STACK.format(**{key: json.dumps(value) for key, value in values.items()})

    regions = _regions(samconfig) if len(names) <= 1 else {}
    for name, region in regions.items():
        key = name if _BARE_KEY.fullmatch(name) else json.dumps(name)
        text += _ENVIRONMENT.format(name=key, region=json.dumps(region))
    return text if regions else text + _EXAMPLE


def _file(path: str, present: Mapping[str, str], text: str, *, more: str, sign: str) -> ProjectFile:
    """Return a file, with the text to add by hand when it exists and lacks the sign of ours."""
    if path not in present:
        return ProjectFile(path, text, exists=False)
    return ProjectFile(path, "" if sign in present[path] else more, exists=True)


def _more_tasks(text: str) -> str:
    """Return the lines that add our tasks to a tasks.py; Invoke takes the name `ns` before `namespace`."""
    return _MORE_TASKS.format(namespace="ns" if _NAMESPACE.search(text) else "namespace")


def _regions(samconfig: Mapping[str, Any]) -> dict[str, str]:
    """Return the region of each section that can be deployed: it has a stack name and a region."""
    sections = {name: sam_configuration.section(samconfig, name, "deploy") for name in samconfig}
    return {
        name: section["region"]
        for name, section in sections.items()
        if isinstance(section.get("stack_name"), str) and isinstance(section.get("region"), str)
    }
