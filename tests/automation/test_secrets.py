"""`inv secrets.set` and `inv secrets.check`: values come from a hidden prompt or stdin, and are never printed."""

import getpass
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from automation import secrets
from automation.project.model import Project
from automation.secrets import Connection, Person
from automation.system import console
from automation.system.account_checks import Account
from automation.system.accounts import CallError, Identity, Problem
from automation.system.errors import CheckFailedError, ConfigurationError, DeploymentError, UsageError
from automation.system.secret_store import SecretStore, SecretValue
from tests.automation.deploying.fake_accounts import TIMELESS, scope_of
from tests.automation.projects import PYPROJECT, make_shop
from tests.automation.temporary_shop import TABLE, make_temporary_shop

TILL = '\n[[tool.alchemiser.secrets]]\nname = "/shop/{env}/till"\nfields = ["key", "pin"]\n'
WORD = '\n[[tool.alchemiser.secrets]]\nname = "/shop/word"\n'
NAME = "/shop/live/till"


@dataclass
class FakeStore:
    """Secrets in memory; `failing` is raised by every call."""

    values: dict[str, str] = field(default_factory=dict)
    failing: CallError | None = None

    def read(self, name: str) -> SecretValue | None:
        if self.failing:
            raise self.failing
        return SecretValue(self.values[name]) if name in self.values else None

    def write(self, name: str, value: SecretValue) -> None:
        self.values[name] = value.text


@dataclass
class FakePerson:
    """Somebody who types the same answers, at a terminal or into a pipe; `events` has every question, in order."""

    answer: str = "live"
    typed: Mapping[str, str] = field(default_factory=dict)
    piped: str | None = None
    events: list[str] = field(default_factory=list)

    def at_terminal(self) -> Person:
        return Person(self.piped is None, self._ask, self._ask_hidden, self._read)

    def _ask(self, question: str) -> str:
        self.events.append(question)
        return self.answer

    def _ask_hidden(self, question: str) -> str:
        self.events.append(question)
        return self.typed[question.removesuffix(": ")]

    def _read(self) -> str:
        return self.piped or ""


TYPED = {f"{NAME}, key": " abc\n", f"{NAME}, pin": "p i n"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_shop(tmp_path, pyproject_toml=PYPROJECT + TILL)


def set_value(
    root: Path,
    store: FakeStore,
    person: FakePerson,
    *,
    name: str = "",
    environment: str = "live",
    yes: bool = False,
    who: Identity = TIMELESS,
) -> None:
    secrets.set_value(
        root,
        environment,
        name,
        variables={},
        yes=yes,
        person=person.at_terminal(),
        connect=lambda _scope: Connection(lambda: who, store),
    )


def check(root: Path, store: FakeStore, *, who: Identity = TIMELESS) -> None:
    secrets.check(root, "live", variables={}, connect=lambda _scope: Connection(lambda: who, store))


def test_set_value_asks_to_confirm_and_then_for_each_field(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, person = FakeStore(), FakePerson(typed=TYPED)

    set_value(root, store, person)

    assert person.events == [f"Type live to create {NAME} in live:", f"{NAME}, key: ", f"{NAME}, pin: "]
    assert json.loads(store.values[NAME]) == {"key": "abc", "pin": "p i n"}
    assert capsys.readouterr().out == f"created {NAME} in live (AWS account 123456789012, eu-west-1)\n"


def test_secrets_of_a_temporary_environment_are_refused(tmp_path: Path) -> None:
    """Planted fault: a broker's keys in the environment of a pull request."""
    root = make_temporary_shop(tmp_path, TABLE + TILL).root
    store, person = FakeStore(), FakePerson(typed=TYPED)
    message = r"^--env: pr-1 is temporary, so it has no secrets; use an environment of your own$"

    with pytest.raises(UsageError, match=message):
        set_value(root, store, person, environment="pr-1")
    with pytest.raises(UsageError, match=message):
        secrets.check(root, "pr-1", variables={}, connect=lambda _scope: Connection(lambda: TIMELESS, store))

    assert (store.values, person.events) == ({}, [])


def test_set_value_replacing_says_so(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, person = FakeStore({NAME: "old"}), FakePerson(typed=TYPED)

    set_value(root, store, person)

    assert person.events[0] == f"Type live to replace the value in use of {NAME} in live:"
    assert store.values[NAME] != "old"
    assert capsys.readouterr().out.startswith(f"replaced {NAME} in live")


@pytest.mark.parametrize("answer", ["", "y", "Live", "live "])
def test_set_value_not_confirmed_stores_nothing(root: Path, answer: str) -> None:
    store, person = FakeStore(), FakePerson(answer, TYPED)

    with pytest.raises(UsageError, match=r"--env live: cancelled: nothing was changed \(type live to confirm\)$"):
        set_value(root, store, person)

    assert (store.values, len(person.events)) == ({}, 1)


@pytest.mark.parametrize(("yes", "environment"), [(True, "live"), (False, "here")])
def test_set_value_confirmed_in_advance_or_not_needed(root: Path, yes: bool, environment: str) -> None:
    name = f"/shop/{environment}/till"
    store, person = FakeStore(), FakePerson(typed={f"{name}, key": "a", f"{name}, pin": "b"})

    set_value(root, store, person, yes=yes, environment=environment)

    assert person.events == [f"{name}, key: ", f"{name}, pin: "]


def test_set_value_consent_confirm_wants_y(tmp_path: Path) -> None:
    root = make_shop(tmp_path, pyproject_toml=(PYPROJECT + TILL).replace('"word"', '"confirm"'))
    store, person = FakeStore(), FakePerson("y", TYPED)

    set_value(root, store, person)

    assert person.events[0].startswith("Type y to create")


def test_set_value_piped_json_needs_yes(root: Path) -> None:
    store, person = FakeStore(), FakePerson(piped='{"pin": "2", "key": "1"}\n')

    message = "secrets.set --env live: must be confirmed, and there is no terminal to confirm it on; run it in a"
    with pytest.raises(UsageError, match=message):
        set_value(root, store, person)
    set_value(root, store, person, yes=True)

    assert store.values == {NAME: '{"key": "1", "pin": "2"}'}


@pytest.mark.parametrize(
    "piped", ["", "hush", '"hush"', '["hush"]', '{"key": "hush"}', '{"key": "hush", "pin": "b", "more": "c"}']
)
def test_set_value_piped_text_of_another_form_is_refused(root: Path, piped: str) -> None:
    store = FakeStore()

    with pytest.raises(UsageError, match=r'stdin must be the JSON \{"key": "…", "pin": "…"\}, with exactly') as caught:
        set_value(root, store, FakePerson(piped=piped), yes=True)

    assert store.values == {}
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "message"),
    [("", "key is empty"), ("  ", "key is empty"), ("a\nb", "key has line breaks or control characters")],
)
def test_set_value_invalid_field_stores_nothing(root: Path, typed: str, message: str) -> None:
    store = FakeStore()

    with pytest.raises(UsageError, match=f"^secrets.set: {message}; nothing was stored$"):
        set_value(root, store, FakePerson(typed={f"{NAME}, key": typed}))

    assert store.values == {}


@pytest.mark.parametrize("value", ["3", "null", "{}", '""'])
def test_piped_value_field_that_is_not_text_is_refused(root: Path, value: str) -> None:
    with pytest.raises(UsageError, match="key is empty"):
        set_value(root, FakeStore(), FakePerson(piped=f'{{"key": {value}, "pin": "b"}}'), yes=True)


def test_set_value_plain_secret_typed_or_piped(tmp_path: Path) -> None:
    root = make_shop(tmp_path, pyproject_toml=PYPROJECT + TILL + WORD)
    typed, piped = FakeStore(), FakeStore()

    set_value(root, typed, FakePerson(typed={"/shop/word": "a b"}), name="/shop/word")
    set_value(root, piped, FakePerson(piped="a b\n"), name="/shop/word", yes=True)

    assert typed.values == piped.values == {"/shop/word": "a b"}


def test_set_value_empty_pipe_names_stdin(tmp_path: Path) -> None:
    root = make_shop(tmp_path, pyproject_toml=PYPROJECT + WORD)

    with pytest.raises(UsageError, match=r"^secrets.set: stdin is empty; nothing was stored$"):
        set_value(root, FakeStore(), FakePerson(piped=" \n"), yes=True)


@pytest.mark.parametrize("name", ["/shop/{env}/till", NAME, "till"])
def test_set_value_takes_the_declared_the_full_and_the_last_name(tmp_path: Path, name: str) -> None:
    root = make_shop(tmp_path, pyproject_toml=PYPROJECT + WORD + TILL)
    store = FakeStore()

    set_value(root, store, FakePerson(typed=TYPED), name=name)

    assert list(store.values) == [NAME]


@pytest.mark.parametrize("name", ["", "/shop/here/till", "words"])
def test_set_value_unknown_name_lists_the_secrets(tmp_path: Path, name: str) -> None:
    root = make_shop(tmp_path, pyproject_toml=PYPROJECT + TILL + WORD)

    message = f"secrets.set: there is no secret '{name}'; the secrets are: /shop/live/till, /shop/word"
    with pytest.raises(UsageError, match=message):
        set_value(root, FakeStore(), FakePerson(), name=name)


def test_set_value_without_declared_secrets_shows_the_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r'secrets\]\]: declares no secret; add name = "/\{env\}/NAME"'):
        set_value(make_shop(tmp_path), FakeStore(), FakePerson())


def test_set_value_wrong_account_asks_for_nothing(root: Path) -> None:
    person = FakePerson(typed=TYPED)

    with pytest.raises(CheckFailedError, match="live cannot be used"):
        set_value(root, FakeStore(), person, who=Identity("2", "arn"))

    assert person.events == []


def test_set_value_refused_call_says_which_secret(root: Path) -> None:
    store = FakeStore(failing=CallError(Problem.DENIED, "AccessDenied: no"))

    with pytest.raises(DeploymentError, match=f"{NAME}: Secrets Manager refused the call: AccessDenied: no"):
        set_value(root, store, FakePerson(typed=TYPED))


def test_check_complete_secret_is_listed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check(root, FakeStore({NAME: '{"key": "hush", "pin": "hush"}'}))

    assert capsys.readouterr().out == f"{NAME}: exists, with key, pin\n"


def test_check_plain_secret_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check(make_shop(tmp_path, pyproject_toml=PYPROJECT + WORD), FakeStore({"/shop/word": "hush"}))

    assert capsys.readouterr().out == "/shop/word: exists\n"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "the secret does not exist"),
        ("hush", "the secret is not a JSON object"),
        ('"hush"', "the secret is not a JSON object"),
        ('{"key": "hush"}', "the secret lacks pin"),
        ('{"key": "", "pin": 3}', "the secret lacks key, pin"),
    ],
)
def test_check_unusable_secret_is_a_finding(
    root: Path, value: str | None, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CheckFailedError, match=r"^1 secret\(s\) of live cannot be used$") as caught:
        check(root, FakeStore({} if value is None else {NAME: value}))

    [finding] = caught.value.findings
    assert (finding.where, finding.what, finding.fix) == (NAME, problem, f"run inv secrets.set --env live {NAME}")
    assert "hush" not in f"{capsys.readouterr()} {caught.value.findings}"


def test_check_wrong_account_reads_nothing(root: Path) -> None:
    store = FakeStore(failing=CallError(Problem.OTHER, "must not be called"))

    with pytest.raises(CheckFailedError, match="live cannot be used"):
        check(root, store, who=Identity("2", "arn"))


def test_connect_and_terminal_are_the_real_ones(shop: Project) -> None:
    scope = scope_of(shop, "live")

    connection, person = secrets.connect(scope), secrets.this_terminal()

    assert connection.store == SecretStore(scope.target)
    assert getattr(connection.identify, "__self__", None) == Account(scope.target)
    assert (person.ask, person.ask_hidden) == (console.ask, getpass.getpass)
