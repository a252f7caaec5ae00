"""`inv secrets.set` and `inv secrets.check`: the secrets that pyproject.toml declares. No value is ever printed.

A value is typed at a hidden prompt or piped into stdin. It is never an argument or an environment variable, which other
programs of the machine could read.
"""

import getpass
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from automation.deploying import consent
from automation.deploying import scope as scopes
from automation.deploying.checks import credentials
from automation.deploying.scope import Scope
from automation.project.settings import SECRETS_TABLE, Secret
from automation.system import console
from automation.system.account_checks import Account
from automation.system.accounts import CallError, Identity
from automation.system.errors import CheckFailedError, ConfigurationError, DeploymentError, Finding, UsageError
from automation.system.secret_store import SecretStore, SecretValue


class Store(Protocol):
    """The calls to Secrets Manager; secret_store.SecretStore is the real one. They raise CallError."""

    def read(self, name: str) -> SecretValue | None:
        """Return the value of a secret; None when it is missing."""
        ...

    def write(self, name: str, value: SecretValue) -> None:
        """Replace the value of a secret, or create the secret."""
        ...


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection to an environment."""

    identify: Callable[[], Identity]
    store: Store


@dataclass(frozen=True, slots=True)
class Person:
    """How to ask the person who runs the command.

    Attributes:
        is_interactive: whether a terminal is there; otherwise the value comes from `read_piped`.
        ask_hidden: asks without showing what is typed.
    """

    is_interactive: bool
    ask: Callable[[str], str]
    ask_hidden: Callable[[str], str]
    read_piped: Callable[[], str]


def connect(scope: Scope) -> Connection:
    """Open the connection to an environment; no call is made yet."""
    return Connection(Account(scope.target).identity, SecretStore(scope.target))


def this_terminal() -> Person:
    """Return the person at this process's terminal."""
    return Person(console.is_interactive(), console.ask, getpass.getpass, sys.stdin.read)


def set_value(
    root: Path,
    environment: str,
    name: str,
    *,
    variables: Mapping[str, str],
    yes: bool = False,
    person: Person | None = None,
    connect: Callable[[Scope], Connection] = connect,
) -> None:
    """Ask for the value of a declared secret and store it in an environment.

    Args:
        name: as in pyproject.toml, as in the environment, or its last part; empty when only one is declared.
        variables: the process's environment variables.
        yes: the user has confirmed on the command line.
        person: None for the one at this terminal.

    Raises:
        UsageError: there is no such environment or secret, the value is not valid, or it was not confirmed.
        CheckFailedError: the credentials cannot be used for this environment.
        DeploymentError: Secrets Manager refused the value.
    """
    scope, person = scopes.read(root, environment, variables=variables), person or this_terminal()
    _require_secrets(scope)
    secret = declared(scope, name)
    is_interactive = person.is_interactive
    consent.require_possible(scope.environment, yes=yes, is_interactive=is_interactive, command="secrets.set")
    connection = connect(scope)
    credentials.require_account(scope, connection.identify, datetime.now(UTC))

    full_name = secret.name_in(environment)
    with _translated(full_name):
        is_new = connection.store.read(full_name) is None
    # Confirmed before the value is typed: the running functions use it from now on.
    _confirm(scope, full_name, is_new=is_new, yes=yes, person=person)
    value = ask_value(secret, full_name, person)
    with _translated(full_name):
        connection.store.write(full_name, value)
    console.result(f"{'created' if is_new else 'replaced'} {full_name} in {environment} ({scope.target_text})")


def check(
    root: Path,
    environment: str,
    *,
    variables: Mapping[str, str],
    connect: Callable[[Scope], Connection] = connect,
) -> None:
    """Check that every declared secret exists in an environment and has its fields.

    Raises:
        UsageError: there is no such environment.
        CheckFailedError: a secret is missing or incomplete, or the credentials cannot be used.
        DeploymentError: Secrets Manager did not answer.
    """
    scope = scopes.read(root, environment, variables=variables)
    _require_secrets(scope)
    connection = connect(scope)
    credentials.require_account(scope, connection.identify, datetime.now(UTC))

    findings: list[Finding] = []
    for secret in scope.project.settings.secrets:
        full_name = secret.name_in(environment)
        with _translated(full_name):
            problem = problem_of(secret, connection.store.read(full_name))
        if problem:
            findings.append(Finding(full_name, problem, f"run inv secrets.set --env {environment} {full_name}"))
        else:
            console.result(f"{full_name}: exists{', with ' if secret.fields else ''}{', '.join(secret.fields)}")
    if findings:
        raise CheckFailedError(f"{len(findings)} secret(s) of {environment} cannot be used", findings=findings)


def _require_secrets(scope: Scope) -> None:
    """Refuse a temporary environment: a secret would outlive it, because no stack has it.

    Raises:
        UsageError: the environment is temporary.
    """
    if scope.environment.is_temporary:
        message = f"{scope.environment.name} is temporary, so it has no secrets; use an environment of your own"
        raise UsageError(message, where="--env")


def declared(scope: Scope, name: str) -> Secret:
    """Return the declared secret of a name, which may be its last part.

    Raises:
        ConfigurationError: pyproject.toml declares none.
        UsageError: it declares none of this name.
    """
    secrets, environment = scope.project.settings.secrets, scope.environment.name
    if not secrets:
        raise ConfigurationError('declares no secret; add name = "/{env}/NAME" and its fields', where=SECRETS_TABLE)
    if not name and len(secrets) == 1:
        return secrets[0]
    for secret in secrets:
        if name and name in {secret.name, secret.name_in(environment), secret.name.rpartition("/")[2]}:
            return secret
    known = ", ".join(secret.name_in(environment) for secret in secrets)
    raise UsageError(f"there is no secret {name!r}; the secrets are: {known}", where="secrets.set")


def ask_value(secret: Secret, name: str, person: Person) -> SecretValue:
    """Return the value that the person types, field by field, or pipes in: JSON for a secret with fields.

    Raises:
        UsageError: the value is empty, or does not have the declared form.
    """
    if not person.is_interactive:
        return piped_value(secret, person.read_piped())
    if not secret.fields:
        return SecretValue(valid_text(person.ask_hidden(f"{name}: "), "the value"))
    typed = {field: valid_text(person.ask_hidden(f"{name}, {field}: "), field) for field in secret.fields}
    return SecretValue(json.dumps(typed))


def piped_value(secret: Secret, text: str) -> SecretValue:
    """Return the value in a piped text.

    Raises:
        UsageError: it is empty, or does not have the declared form; the message does not repeat it.
    """
    if not secret.fields:
        return SecretValue(valid_text(text, "stdin"))
    fields = _fields(text)
    if fields is None or set(fields) != set(secret.fields):
        example = json.dumps(dict.fromkeys(secret.fields, "…"), ensure_ascii=False)
        raise UsageError(f"stdin must be the JSON {example}, with exactly these fields", where="secrets.set")
    return SecretValue(json.dumps({field: valid_text(fields[field], field) for field in secret.fields}))


def problem_of(secret: Secret, value: SecretValue | None) -> str:
    """Return what is wrong with a stored secret; empty when nothing is. The text does not repeat the value."""
    if value is None:
        return "the secret does not exist"
    if not secret.fields:
        return ""
    fields = _fields(value.text)
    if fields is None:
        return "the secret is not a JSON object"
    missing = [field for field in secret.fields if not isinstance(fields.get(field), str) or not fields[field]]
    return f"the secret lacks {', '.join(missing)}" if missing else ""


def valid_text(text: Any, what: str) -> str:
    """Return a value without the spaces around it, which are left over from copying.

    Raises:
        UsageError: it is not text, is empty, or has line breaks or other control characters.
    """
    value = text.strip() if isinstance(text, str) else ""
    if not value:
        raise UsageError(f"{what} is empty; nothing was stored", where="secrets.set")
    if not value.isprintable():
        raise UsageError(f"{what} has line breaks or control characters; nothing was stored", where="secrets.set")
    return value


def _fields(text: str) -> Mapping[str, Any] | None:
    try:
        fields = json.loads(text)
    except ValueError:
        return None
    return fields if isinstance(fields, Mapping) else None


def _confirm(scope: Scope, name: str, *, is_new: bool, yes: bool, person: Person) -> None:
    if not yes:
        effect = "create" if is_new else "replace the value in use of"
        consent.confirm(f"{effect} {name} in {scope.environment.name}", scope.environment, ask=person.ask)


@contextmanager
def _translated(name: str) -> Iterator[None]:
    """Turn a CallError into a DeploymentError.

    Raises:
        DeploymentError: Secrets Manager refused the call or did not answer.
    """
    try:
        yield
    except CallError as cause:
        raise DeploymentError(f"Secrets Manager refused the call: {cause.detail}", where=name) from cause
