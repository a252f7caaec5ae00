"""The templates to compare with for `inv diff --against`: those of a git revision, or a file. Needs no credentials."""

import platform
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from automation.project import environments, model, templates, temporary
from automation.project.model import Project
from automation.system import git
from automation.system.errors import ConfigurationError, UsageError

OPTION = "--against"


@dataclass(frozen=True, slots=True)
class StackTemplate:
    """The template of a stack, before SAM's transform.

    Attributes:
        name: the file's name in messages.
        template: every section, intrinsics in long form.
        parameters: the environment's values of its parameters, with `AWS::StackName`, `AWS::Region` and, if it is
            pinned, `AWS::AccountId`; empty without an environment, which means the template's defaults.
    """

    name: str
    template: Mapping[str, Any]
    parameters: Mapping[str, str] = field(default_factory=dict)


def templates_of(
    reference: str, project: Project, *, environment: str = "", variables: Mapping[str, str]
) -> dict[str, StackTemplate]:
    """Return the templates that a reference names, by stack.

    Args:
        reference: a template file, relative to the current folder; otherwise a git revision, which has every stack.
        environment: whose parameters to use; empty for the defaults of the templates.
        variables: the process's environment variables.

    Raises:
        UsageError: the reference is neither, or the file fits no stack, or the environment does not exist.
        ConfigurationError: the file is not a template, or the project at that revision cannot be read.
        ToolError: git is not installed, or cannot check out the revision.
    """
    path = Path(reference)
    if path.is_file():
        return _of_file(path, project, environment, variables)

    repository = git.repository_root(project.root, where=f"diff {OPTION}")
    commit = git.find_commit(repository, reference)
    if not commit:
        message = f"{reference!r} is neither a file nor a revision; list the revisions: git log --oneline"
        raise UsageError(message, where=OPTION)
    with tempfile.TemporaryDirectory() as folder:
        git.check_out(commit, repository, Path(folder) / "tree")
        root = Path(folder) / "tree" / project.root.resolve().relative_to(repository)
        try:
            earlier = _with_present_guards(model.load(root), project, environment)
            return templates_of_project(earlier, environment=environment, variables=variables)
        except ConfigurationError as cause:
            raise ConfigurationError(f"at {reference}: {cause}", where=OPTION) from cause


def templates_of_project(
    project: Project, *, environment: str = "", variables: Mapping[str, str]
) -> dict[str, StackTemplate]:
    """Return the templates of a project, such as the working copy, by stack.

    Raises:
        UsageError: the environment does not exist.
        ConfigurationError: a template or a setting cannot be read.
    """
    parameters = _parameters(project, environment, variables)
    return {
        stack.name: StackTemplate(
            name=stack.template.path,
            template=templates.document(project.root / stack.template.path, name=stack.template.path),
            parameters=parameters.get(stack.name, {}),
        )
        for stack in project.stacks
    }


def _of_file(path: Path, project: Project, environment: str, variables: Mapping[str, str]) -> dict[str, StackTemplate]:
    """Return the file as the template of the stack that has the most resources in common with it."""
    document = templates.document(path, name=str(path))
    shared = {stack.name: len(set(stack.template.resources) & set(document["Resources"])) for stack in project.stacks}
    best = max(shared, key=lambda name: shared[name])
    if not shared[best]:
        names = ", ".join(stack.template.path for stack in project.stacks)
        raise UsageError(f"{path} has no resource in common with {names}", where=OPTION)
    return {best: StackTemplate(str(path), document, _parameters(project, environment, variables).get(best, {}))}


def _parameters(project: Project, environment: str, variables: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
    if not environment:
        return {}
    guards = environments.load(project, environment, variables=variables, machine=platform.machine())
    stacks = environments.stack_settings(project, guards, environments.read_samconfig(project.root))
    account = {"AWS::AccountId": guards.account} if guards.account else {}
    return {
        settings.stack.name: {
            **settings.parameters,
            "AWS::StackName": settings.stack_name,
            "AWS::Region": guards.region,
            **account,
        }
        for settings in stacks
    }


def _with_present_guards(earlier: Project, present: Project, environment: str) -> Project:
    """Return the earlier project with an environment's guards of today, whose rules it may not have known yet."""
    table = temporary.find(present.settings.environments, environment)
    if table is None:
        return earlier
    key, guards = table
    parameters = earlier.settings.environments.get(key, {}).get("parameters", {})
    tables = {key: {**guards, "parameters": parameters}}
    return replace(earlier, settings=replace(earlier.settings, environments=tables))
