"""The environments to deploy to: guards from pyproject.toml, stack names and parameters from samconfig.toml."""

import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from itertools import chain, product
from pathlib import Path
from typing import Any

from automation.project import architectures, sam_configuration, setting_keys, temporary
from automation.project.model import Project, Stack
from automation.project.sam_configuration import SAMCONFIG, overrides
from automation.project.settings import PYPROJECT, TABLE
from automation.system import identity_tokens
from automation.system.errors import ConfigurationError, Finding, UsageError
from automation.system.targets import ROLE_VARIABLES, Target

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")
_SECTIONS_OF_SAM = frozenset({"default", "global"})
_ACCOUNT_ID = re.compile(r"\d{12}")
_PIN = 'add account = "123456789012" with the id of its AWS account; a deployment to any other account is refused'


class Consent(StrEnum):
    """What a person must confirm before a deployment: nothing, yes or no, or by typing the environment's name."""

    NONE = "none"
    CONFIRM = "confirm"
    WORD = "word"


@dataclass(frozen=True, slots=True)
class Environment:
    """The guards of one environment.

    Attributes:
        account: the account id that the credentials must belong to; empty for any, which `word` does not allow.
        endpoint: URL that replaces AWS; empty for AWS itself.
        parameters: template parameters that depend on this machine (ports, architecture); they override samconfig.toml.
        pattern: the table that stands for it and others, such as `pr-*`; empty for an environment with its own table.
        ttl: how long a temporary environment lives unless a deployment says otherwise; None for any other.
    """

    name: str
    region: str
    consent: Consent
    account: str = ""
    endpoint: str = ""
    key_id: str = ""
    secret: str = field(default="", repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict)
    pattern: str = ""
    ttl: timedelta | None = None

    @property
    def key(self) -> str:
        """The name of its table in pyproject.toml, which its sections in samconfig.toml have too."""
        return self.pattern or self.name

    @property
    def is_sandbox(self) -> bool:
        """Whether it is an emulator on this machine: pyproject.toml itself gives it a loopback endpoint."""
        return Target(self.region, self.endpoint).is_loopback

    @property
    def is_temporary(self) -> bool:
        """Whether a pattern stands for it: it has no secrets, and is destroyed with its data."""
        return bool(self.pattern)

    @property
    def is_pattern(self) -> bool:
        """Whether it stands for all environments of a pattern, for what they have in common."""
        return temporary.is_pattern(self.name)

    @property
    def needs_people(self) -> bool:
        """Whether a person has to set something up in its account: secrets, mail addresses, subscribers."""
        return not (self.is_sandbox or self.is_temporary)


@dataclass(frozen=True, slots=True)
class StackSettings:
    """How one stack is deployed to one environment.

    Attributes:
        parameters: their values; those that are asked for are only known once the deployed stack was read.
        asked: the parameters that a person is asked for, with the values that the deployed stack has; none before it
            was read.
        section: what samconfig.toml says about its deployment, such as `s3_bucket`, `capabilities` or `tags`.
        name_pattern: what the names of this stack in all temporary environments fit, such as `shop-pr-*`; empty for any
            other environment.
    """

    stack: Stack
    stack_name: str
    config_env: str
    parameters: Mapping[str, str]
    section: Mapping[str, Any] = field(default_factory=dict)
    asked: Mapping[str, str] = field(default_factory=dict)
    name_pattern: str = ""

    @property
    def sets_anew(self) -> bool:
        """Whether a parameter that is asked for gets another value than the deployed stack has."""
        return any(self.parameters.get(name, present) != present for name, present in self.asked.items())

    def values(self) -> dict[str, str]:
        """Return the value of each of its template's parameters, the defaults included."""
        return {**self.stack.template.defaults(), **self.parameters}


def load(
    project: Project, name: str, *, variables: Mapping[str, str], machine: str, takes_pattern: bool = False
) -> Environment:
    """Read the environment `name`.

    Args:
        variables: the process's environment variables, which `${NAME:-default}` refers to.
        machine: this machine, as platform.machine() names it; for an `architecture_parameter`.
        takes_pattern: whether `name` may be a pattern, for what all its environments have in common.

    Raises:
        UsageError: the environment does not exist, or no name is given; the message lists those that exist.
        ConfigurationError: its table is wrong.
    """
    key, table = _require_table(project.settings.environments, name, takes_pattern=takes_pattern)
    where = _where(key)
    text = {key: expand(str(value), variables, where=where) for key, value in table.items() if key != "parameters"}
    setting_keys.require_known(table, setting_keys.ENVIRONMENT, where=where)
    if not text.get("region"):
        raise ConfigurationError("has no region", where=where)
    consent, account = _consent(text.get("consent", Consent.WORD), where), text.get("account", "")
    if problem := _account_problem(consent, account):
        raise ConfigurationError(f"{problem}; {_PIN}", where=where)
    if problems := list(temporary.faults(project.settings.environments, key, where)):
        raise ConfigurationError(f"{problems[0].what}; {problems[0].fix}", where=where)

    is_temporary = temporary.is_pattern(key)
    return Environment(
        name=name,
        region=text["region"],
        consent=consent,
        account=account,
        endpoint=text.get("endpoint", ""),
        key_id=text.get("key_id", ""),
        secret=text.get("secret", ""),
        parameters=_machine_parameters(table, text, variables, machine, where),
        pattern=key if is_temporary else "",
        ttl=temporary.parse_ttl(text["ttl"], where=where) if is_temporary else None,
    )


def expand(text: str, variables: Mapping[str, str], *, where: str) -> str:
    """Replace `${NAME:-default}` and `${NAME}` by environment variables.

    Raises:
        ConfigurationError: a variable without a default is not set.
    """

    def replace(match: re.Match[str]) -> str:
        value = variables.get(match[1]) or match[2]
        if value is None:
            raise ConfigurationError(f"the environment variable {match[1]} is not set", where=where)
        return value

    return _VARIABLE.sub(replace, text)


def target(environment: Environment, variables: Mapping[str, str]) -> Target:
    """Return where the environment's calls go: its own endpoint, otherwise AWS_ENDPOINT_URL, otherwise AWS.

    A loopback endpoint is not AWS, so it gets dummy credentials when the process has none. The role of a workflow wins
    over the credentials of pyproject.toml.
    """
    endpoint = environment.endpoint or variables.get("AWS_ENDPOINT_URL", "")
    if identity_tokens.is_job(variables) or all(variables.get(name) for name in ROLE_VARIABLES):
        return Target(environment.region, endpoint)
    configured = Target(environment.region, endpoint, environment.key_id, environment.secret)
    if configured.is_loopback and not configured.key_id and not variables.get("AWS_ACCESS_KEY_ID"):
        return Target(environment.region, endpoint, "test", "test")
    return configured


def read_samconfig(root: Path) -> Mapping[str, Any]:
    """Read samconfig.toml, or its YAML form.

    Raises:
        ConfigurationError: it is missing or cannot be parsed.
    """
    if sam_configuration.find(root) is None:
        message = "does not exist; it holds the stack names and parameters of each environment"
        raise ConfigurationError(message, where=SAMCONFIG)
    return sam_configuration.read(root)


def stack_settings(
    project: Project, environment: Environment, samconfig: Mapping[str, Any]
) -> tuple[StackSettings, ...]:
    """Return the settings of each stack, in the order of deployment.

    Raises:
        ConfigurationError: samconfig.toml lacks a section or a stack name, or gives a temporary environment a stack of
            another environment.
    """
    settings = tuple(_stack_settings(stack, environment, samconfig) for stack in project.deployed)
    if environment.is_temporary:
        _require_own_stacks(settings, project, samconfig)
    return settings


def other_stacks(project: Project, samconfig: Mapping[str, Any], *, apart_from: str = "") -> list[tuple[str, str]]:
    """Return the key of each environment with the name of each of its stacks; of a pattern, those of an example.

    Args:
        apart_from: the key of an environment that is left out.
    """
    stacks: list[tuple[str, str]] = []
    for key, stack in product(project.settings.environments, project.deployed):
        name = sam_configuration.section(samconfig, stack.config_env.format(env=key), "deploy").get("stack_name", "")
        if key != apart_from:
            stacks.append((key, temporary.named(name, temporary.example(key)) if temporary.is_pattern(key) else name))
    return stacks


def parameters_by_stack(project: Project, name: str, variables: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
    """Return the template parameters of an environment, by stack, as `builder.build` takes them.

    Raises:
        UsageError, ConfigurationError: as `load` and `stack_settings`.
    """
    environment = load(project, name, variables=variables, machine=platform.machine())
    stacks = stack_settings(project, environment, read_samconfig(project.root))
    return {settings.stack.name: settings.parameters for settings in stacks}


def disagreements(project: Project, samconfig: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Return where pyproject.toml, samconfig.toml and the templates contradict each other."""
    present = {key for key, value in samconfig.items() if isinstance(value, Mapping) and key not in _SECTIONS_OF_SAM}
    expected: set[str] = set()
    findings: list[Finding] = []

    for name, guards in project.settings.environments.items():
        findings += [
            *_account_faults(name, guards),
            *temporary.faults(project.settings.environments, name, _where(name)),
        ]
        for stack in project.deployed:
            section = stack.config_env.format(env=name)
            expected.add(section)
            if section in present:
                findings += _section_faults(name, guards, stack, samconfig, project.settings.ask)
            else:
                findings.append(_missing_section(section, name))

    defined = set(chain.from_iterable(stack.template.parameters for stack in project.deployed))
    for name in set(project.settings.ask) - defined:
        findings.append(Finding(f"{TABLE} ask", f"no template has the parameter {name}", "remove it"))
    for section in present - expected:
        what = f"no environment of {PYPROJECT} uses this section"
        findings.append(Finding(f"{SAMCONFIG}: [{section}]", what, "remove it, or add the guards"))
    return tuple(sorted(findings))


def _require_table(
    tables: Mapping[str, Mapping[str, Any]], name: str, *, takes_pattern: bool
) -> tuple[str, Mapping[str, Any]]:
    if takes_pattern and name in tables:
        return name, tables[name]
    if table := temporary.find(tables, name):
        return table
    known = ", ".join(tables) or f"none; add [tool.alchemiser.environments.<name>] to {PYPROJECT}"
    if temporary.is_pattern(name) and name in tables:
        what = f"{name} stands for many environments; name one, such as {temporary.example(name)}"
    else:
        what = f"there is no environment {name!r}" if name else "name an environment"
    raise UsageError(f"{what}; the environments are: {known}", where="--env")


def _where(key: str) -> str:
    """Return the place of a table, as TOML writes it."""
    return f"{PYPROJECT}: [tool.alchemiser.environments.{f'"{key}"' if temporary.is_pattern(key) else key}]"


def _require_own_stacks(settings: tuple[StackSettings, ...], project: Project, samconfig: Mapping[str, Any]) -> None:
    """Refuse the name of a stack of an environment that is not temporary: it would be destroyed with its data.

    Raises:
        ConfigurationError: there is such a name.
    """
    for (name, stack_name), own in product(other_stacks(project, samconfig), settings):
        if not temporary.is_pattern(name) and own.stack_name == stack_name:
            where = f"{SAMCONFIG}: [{own.config_env}.deploy.parameters]"
            raise ConfigurationError(f"{own.stack_name} is a stack of the environment {name}", where=where)


def _missing_section(section: str, environment: str) -> Finding:
    what = f"the section is missing, but {PYPROJECT} has the environment {environment}"
    fix = "add [<name>.deploy.parameters] with stack_name and parameter_overrides"
    return Finding(f"{SAMCONFIG}: [{section}]", what, fix)


def _consent(value: str, where: str) -> Consent:
    try:
        return Consent(value)
    except ValueError as cause:
        raise ConfigurationError(f"consent {value!r} is not one of {', '.join(Consent)}", where=where) from cause


def _account_problem(consent: str, account: str) -> str:
    """Return what is wrong with the account of an environment; empty when nothing is."""
    if not account:
        return 'consent = "word" needs a pinned account' if consent == Consent.WORD else ""
    return "" if _ACCOUNT_ID.fullmatch(account) else f"account {account!r} is not an account id of 12 digits"


def _account_faults(name: str, guards: Mapping[str, Any]) -> list[Finding]:
    account = str(guards.get("account", ""))
    # An account from an environment variable is checked when the environment is loaded.
    problem = "" if _VARIABLE.search(account) else _account_problem(str(guards.get("consent", Consent.WORD)), account)
    return [Finding(_where(name), problem, _PIN)] if problem else []


def _machine_parameters(
    table: Mapping[str, Any], text: Mapping[str, str], variables: Mapping[str, str], machine: str, where: str
) -> dict[str, str]:
    parameters = {
        name: expand(str(value), variables, where=where) for name, value in table.get("parameters", {}).items()
    }
    if architecture_parameter := text.get("architecture_parameter"):
        architecture = architectures.from_machine(machine)
        if architecture is None:
            raise ConfigurationError(f"Lambda has no architecture for this machine ({machine})")
        parameters[architecture_parameter] = architecture
    return parameters


def _stack_settings(stack: Stack, environment: Environment, samconfig: Mapping[str, Any]) -> StackSettings:
    config_env = stack.config_env.format(env=environment.key)
    where = f"{SAMCONFIG}: [{config_env}.deploy.parameters]"
    section = sam_configuration.section(samconfig, config_env, "deploy")
    if problem := _name_problem(section.get("stack_name"), environment.key):
        raise ConfigurationError(problem, where=where)
    name_pattern = temporary.named(section["stack_name"], environment.pattern) if environment.is_temporary else ""
    if environment.is_temporary:
        section = temporary.named(section, environment.name)
    stack_name = section["stack_name"]

    of_machine = {name: value for name, value in environment.parameters.items() if name in stack.template.parameters}
    parameters = {**overrides(section, where=where), **of_machine}
    return StackSettings(stack, stack_name, config_env, parameters, section, name_pattern=name_pattern)


def _name_problem(stack_name: Any, key: str) -> str:
    """Return what is wrong with the name of a stack in samconfig.toml; empty when nothing is."""
    if not isinstance(stack_name, str) or not stack_name:
        return "has no stack_name"
    if temporary.is_pattern(key) and temporary.NAME not in stack_name:
        return f"stack_name lacks {temporary.NAME}, so all temporary environments would be one"
    return ""


def _section_faults(
    key: str,
    guards: Mapping[str, Any],
    stack: Stack,
    samconfig: Mapping[str, Any],
    asked: tuple[str, ...],
) -> list[Finding]:
    section_name = stack.config_env.format(env=key)
    where = f"{SAMCONFIG}: [{section_name}.deploy.parameters]"
    section = sam_configuration.section(samconfig, section_name, "deploy")
    values, path = overrides(section, where=where), stack.template.path
    known = set(stack.template.parameters)
    needed = known - set(stack.template.defaults()) - set(values) - set(guards.get("parameters", {}))
    if not Target("", str(guards.get("endpoint", ""))).is_loopback:
        needed -= set(asked)

    findings = [
        Finding(where, f"{path} has no parameter {parameter}", "remove it") for parameter in set(values) - known
    ]
    findings += [Finding(where, f"{parameter} of {path} has no value", "set it") for parameter in needed]
    if problem := _name_problem(section.get("stack_name"), key):
        findings.append(
            Finding(where, problem, f"write {temporary.NAME} in it" if section.get("stack_name") else "set it")
        )
    region = section.get("region")
    if region not in {None, guards.get("region")}:
        findings.append(Finding(where, f"region {region} differs from that of {PYPROJECT}", "remove it"))
    return findings
