"""What differs between the places to deploy to: guards from pyproject.toml, SAM's parameters from samconfig.toml."""

import platform
import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from automation.project.model import Project, Stack
from automation.system import aws
from automation.system.errors import ConfigurationError, Finding, UsageError

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")
_KEYS = frozenset(
    {"region", "consent", "account", "endpoint", "key_id", "secret", "architecture_parameter", "parameters"}
)
_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


class Consent(StrEnum):
    """What a person is asked before a deployment: nothing, yes or no, or to type the environment's name."""

    NONE = "none"
    CONFIRM = "confirm"
    WORD = "word"


@dataclass(frozen=True, slots=True)
class Environment:
    """The guards of one environment.

    Attributes:
        account: the account id that credentials must belong to; empty for any.
        endpoint: takes the place of AWS; empty for AWS itself.
        parameters: template parameters that only the machine knows (ports, architecture); they win over samconfig.toml.
    """

    name: str
    region: str
    consent: Consent
    account: str = ""
    endpoint: str = ""
    key_id: str = ""
    secret: str = field(default="", repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StackSettings:
    """How one stack is deployed in one environment."""

    stack: Stack
    stack_name: str
    config_env: str
    parameters: Mapping[str, str]


def load(project: Project, name: str, *, variables: Mapping[str, str], machine: str) -> Environment:
    """The environment of that name.

    Args:
        variables: the process's environment variables, which `${NAME:-default}` refers to.
        machine: as platform.machine() says; for an `architecture_parameter`.

    Raises:
        UsageError: there is no such environment; the message lists those there are.
        ConfigurationError: its table is wrong.
    """
    if name not in project.environments:
        known = ", ".join(project.environments) or "none; add [tool.alchemiser.environments.<name>] to pyproject.toml"
        raise UsageError(f"there is no environment {name!r}; the environments are: {known}", where="--env")
    where = f"pyproject.toml: [tool.alchemiser.environments.{name}]"
    table = project.environments[name]
    text = {key: expand(str(value), variables, where=where) for key, value in table.items() if key != "parameters"}
    if unknown := sorted(set(table) - _KEYS):
        raise ConfigurationError(f"{unknown[0]} is unknown; the keys are {', '.join(sorted(_KEYS))}", where=where)
    if not text.get("region"):
        raise ConfigurationError("has no region", where=where)
    return Environment(
        name=name,
        region=text["region"],
        consent=_consent(text.get("consent", Consent.WORD), where),
        account=text.get("account", ""),
        endpoint=text.get("endpoint", ""),
        key_id=text.get("key_id", ""),
        secret=text.get("secret", ""),
        parameters=_parameters(table, text, variables, machine, where),
    )


def expand(text: str, variables: Mapping[str, str], *, where: str) -> str:
    """Replace `${NAME:-default}` and `${NAME}` by environment variables.

    Raises:
        ConfigurationError: a variable without a default is not set.
    """

    def replace(match: re.Match[str]) -> str:
        found = variables.get(match[1]) or match[2]
        if found is None:
            raise ConfigurationError(f"the environment variable {match[1]} is not set", where=where)
        return found

    return _VARIABLE.sub(replace, text)


def target(environment: Environment, variables: Mapping[str, str]) -> aws.Target:
    """Where the environment's calls go: its own endpoint, else AWS_ENDPOINT_URL, else AWS.

    A loopback endpoint is no AWS, so it gets dummy credentials when the surroundings have none.
    """
    endpoint = environment.endpoint or variables.get("AWS_ENDPOINT_URL", "")
    made = aws.Target(environment.region, endpoint, environment.key_id, environment.secret)
    if made.is_loopback and not made.key_id and not variables.get("AWS_ACCESS_KEY_ID"):
        return aws.Target(environment.region, endpoint, "test", "test")
    return made


def read_samconfig(root: Path) -> Mapping[str, Any]:
    """samconfig.toml as it stands.

    Raises:
        ConfigurationError: it is absent or not valid TOML.
    """
    try:
        return tomllib.loads((root / "samconfig.toml").read_text(encoding="utf-8"))
    except FileNotFoundError as cause:
        message = "does not exist; it holds the stack names and parameters of each environment"
        raise ConfigurationError(message, where="samconfig.toml") from cause
    except tomllib.TOMLDecodeError as cause:
        raise ConfigurationError(f"is not valid TOML: {cause}", where="samconfig.toml") from cause


def stack_settings(
    project: Project, environment: Environment, samconfig: Mapping[str, Any]
) -> tuple[StackSettings, ...]:
    """The settings of each stack, in the order of deployment.

    Raises:
        ConfigurationError: samconfig.toml lacks a section or a stack name.
    """
    return tuple(_settings(stack, environment, samconfig) for stack in project.stacks)


def parameters_by_stack(project: Project, name: str, variables: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
    """The template parameters of an environment, as `builder.build` takes them.

    Raises:
        UsageError, ConfigurationError: as `load` and `stack_settings`.
    """
    environment = load(project, name, variables=variables, machine=platform.machine())
    settings = stack_settings(project, environment, read_samconfig(project.root))
    return {one.stack.name: one.parameters for one in settings}


def disagreements(project: Project, samconfig: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Where pyproject.toml, samconfig.toml and the templates do not tell the same."""
    expected = {
        stack.config_env.format(env=name): (name, stack) for name in project.environments for stack in project.stacks
    }
    there = {name for name, section in samconfig.items() if isinstance(section, Mapping) and name not in _SAM_OWN}
    missing = [
        Finding(f"samconfig.toml: [{name}]", f"is absent, but pyproject.toml has the environment {env}", _MEND_SECTION)
        for name, (env, _) in expected.items()
        if name not in there
    ]
    unknown = [
        Finding(f"samconfig.toml: [{name}]", "no environment of pyproject.toml uses it", "remove it, or add the guards")
        for name in there - set(expected)
    ]
    inside = [
        finding
        for name, (env, stack) in expected.items()
        if name in there
        for finding in _section_faults(name, project.environments[env], stack, samconfig)
    ]
    return tuple(sorted([*missing, *unknown, *inside]))


_SAM_OWN = frozenset({"default", "global"})
_MEND_SECTION = "add [<name>.deploy.parameters] with stack_name and parameter_overrides"


def _consent(value: str, where: str) -> Consent:
    try:
        return Consent(value)
    except ValueError as cause:
        raise ConfigurationError(f"consent {value!r} is none of {', '.join(Consent)}", where=where) from cause


def _parameters(
    table: Mapping[str, Any], text: Mapping[str, str], variables: Mapping[str, str], machine: str, where: str
) -> dict[str, str]:
    given = table.get("parameters", {})
    made = {name: expand(str(value), variables, where=where) for name, value in given.items()}
    if parameter := text.get("architecture_parameter"):
        made[parameter] = _architecture(machine)
    return made


def _architecture(machine: str) -> str:
    try:
        return _ARCHITECTURES[machine.lower()]
    except KeyError as cause:
        raise ConfigurationError(f"Lambda has no architecture for this machine ({machine})") from cause


def _settings(stack: Stack, environment: Environment, samconfig: Mapping[str, Any]) -> StackSettings:
    config_env = stack.config_env.format(env=environment.name)
    where = f"samconfig.toml: [{config_env}.deploy.parameters]"
    section = _deploy_section(config_env, samconfig)
    stack_name = section.get("stack_name")
    if not isinstance(stack_name, str) or not stack_name:
        raise ConfigurationError("has no stack_name", where=where)
    ours = {name: value for name, value in environment.parameters.items() if name in stack.template.parameters}
    return StackSettings(stack, stack_name, config_env, {**overrides(section, where=where), **ours})


def _deploy_section(config_env: str, samconfig: Mapping[str, Any]) -> Mapping[str, Any]:
    shared = samconfig.get(config_env, {}).get("global", {}).get("parameters", {})
    return {**shared, **samconfig.get(config_env, {}).get("deploy", {}).get("parameters", {})}


def overrides(section: Mapping[str, Any], *, where: str) -> dict[str, str]:
    """`parameter_overrides` of a section, written as one string, as a list, or as a table.

    Raises:
        ConfigurationError: a word is not `Name=value`.
    """
    given = section.get("parameter_overrides", [])
    if isinstance(given, Mapping):
        return {str(name): str(value) for name, value in given.items()}
    words = shlex.split(given) if isinstance(given, str) else [str(word) for word in given]
    pairs = [word.partition("=") for word in words]
    if wrong := [name for name, separator, _ in pairs if not separator]:
        raise ConfigurationError(f"parameter_overrides: {wrong[0]!r} is not Name=value", where=where)
    return {name: value for name, _, value in pairs}


def _section_faults(name: str, guards: Mapping[str, Any], stack: Stack, samconfig: Mapping[str, Any]) -> list[Finding]:
    where = f"samconfig.toml: [{name}.deploy.parameters]"
    section = _deploy_section(name, samconfig)
    given, path = overrides(section, where=where), stack.template.path
    known = set(stack.template.parameters)
    needed = known - set(stack.template.defaults()) - set(given) - set(guards.get("parameters", {}))
    found = [Finding(where, f"{one} is no parameter of {path}", "remove it") for one in set(given) - known]
    found += [Finding(where, f"{one} of {path} has no value", "set it") for one in needed]
    if not section.get("stack_name"):
        found.append(Finding(where, "has no stack_name", "set it"))
    region = section.get("region")
    if region not in {None, guards.get("region")}:
        found.append(Finding(where, f"region {region} is not that of pyproject.toml", "remove it"))
    return found
