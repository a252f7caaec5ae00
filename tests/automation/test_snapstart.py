"""`inv coldstart --snapstart`: both kinds of start of a copy. Every log is composed; none is from an account."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from automation import snapstart
from automation.deploying.releases.cold_starts import Durations
from automation.deploying.scope import Scope
from automation.snapstart import Connection, Trial
from automation.system import aws
from automation.system.account_checks import Account
from automation.system.errors import CheckFailedError, ConfigurationError, DeploymentError, UsageError
from automation.system.function_trials import FunctionTrials
from automation.system.invocations import LoggedInvocation
from tests.automation.deploying.fake_accounts import TIMELESS
from tests.automation.projects import PYPROJECT, make_shop

SMOKE = PYPROJECT.replace('package = "shop"', 'package = "shop"\nsmoke = {health = true}')
PRICE = (
    "SnapStart of 512 MB costs $1.95 a month per published version, "
    "and $0.07 per 1,000 restores (us-east-1, as listed in May 2026; see aws.amazon.com/lambda/pricing)"
)

type Compare = Callable[..., Trial]


class FakeFunctions:
    def functions(self, stack_name: str) -> Mapping[str, str]:
        return {"shop-live": {"Till": "shop-till"}, "shop-live-base": {"Stock": "shop-stock"}}[stack_name]


@dataclass
class FakeTrials:
    """Lambda, whose versions start in 900 ms and restore in 200 ms, each start 10 ms longer than the last.

    Attributes:
        warm: how many of the invocations find an environment that is running already.
        errors: what each call raises, by its name.
    """

    warm: int = 0
    error: str = ""
    errors: dict[str, DeploymentError] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    payloads: list[Mapping[str, Any]] = field(default_factory=list)
    starts: int = 0
    mutex: Lock = field(default_factory=Lock)

    def memory_mb(self, function: str) -> int:
        self._note(f"memory_mb {function}")
        return 512

    def create(self, function: str) -> str:
        self._note(f"create {function}")
        return f"{function}-copy"

    def publish(self, copy: str, *, with_snapstart: bool) -> str:
        self._note(f"publish {copy} {with_snapstart}")
        self.starts = 0
        return "2" if with_snapstart else "1"

    def invoke(self, copy: str, version: str, payload: Mapping[str, Any]) -> LoggedInvocation:
        with self.mutex:
            self._note(f"invoke {copy} {version}")
            self.payloads.append(payload)
            if self.warm > 0:
                self.warm -= 1
                return LoggedInvocation(self.error, None, "REPORT RequestId: 1\tDuration: 1 ms\t")
            kind, first = ("Restore", 200) if version == "2" else ("Init", 900)
            log = f"START\nREPORT RequestId: 1\tDuration: 1 ms\t{kind} Duration: {first + 10 * self.starts} ms\t\n"
            self.starts += 1
            return LoggedInvocation(self.error, None, log)

    def delete(self, copy: str) -> None:
        self._note(f"delete {copy}")

    def _note(self, call: str) -> None:
        self.calls.append(call)
        if error := self.errors.get(call.partition(" ")[0]):
            raise error


@pytest.fixture
def trials() -> FakeTrials:
    return FakeTrials()


@pytest.fixture
def compare(tmp_path: Path, trials: FakeTrials) -> Compare:
    root = make_shop(tmp_path, pyproject_toml=SMOKE)

    def run(function: str = "Till", *, environment: str = "live", runs: int = 3, **options: Any) -> Trial:
        identity = options.pop("identity", TIMELESS)
        connection = Connection(lambda: identity, FakeFunctions(), trials)
        variables: Mapping[str, str] = options.pop("variables", {})
        options.setdefault("yes", True)
        return snapstart.compare(
            root, environment, function, variables=variables, runs=runs, connect=lambda _: connection, **options
        )

    return run


def test_compare_measures_both_kinds_and_deletes_the_copy(compare: Compare, trials: FakeTrials) -> None:
    trial = compare()

    assert trial == Trial("shop-till", 512, Durations((900, 910, 920)), Durations((200, 210, 220)))
    assert trials.calls == [
        *("memory_mb shop-till", "create shop-till"),
        *("publish shop-till-copy False", *["invoke shop-till-copy 1"] * 3),
        *("publish shop-till-copy True", *["invoke shop-till-copy 2"] * 3),
        "delete shop-till-copy",
    ]
    assert trials.payloads == [{"health": True}] * 6


def test_compare_asks_again_while_starts_are_missing(compare: Compare, trials: FakeTrials) -> None:
    trials.warm = 2

    trial = compare()

    assert trial.without == Durations((900, 910, 920))
    assert trials.calls.count("invoke shop-till-copy 1") == 6


def test_compare_gives_up_after_three_rounds(compare: Compare, trials: FakeTrials) -> None:
    trials.warm = 9

    trial = compare()

    assert trial.without is None
    assert trials.calls.count("invoke shop-till-copy 1") == 9
    assert trial.with_snapstart == Durations((200, 210, 220))


def test_compare_failing_function_is_an_error_and_leaves_no_copy(compare: Compare, trials: FakeTrials) -> None:
    trials.error = "ImportError: no numpy"

    with pytest.raises(DeploymentError, match="shop-till-copy: 1 of 1 invocations failed: ImportError: no numpy"):
        compare(runs=1)
    assert trials.calls[-1] == "delete shop-till-copy"


def test_compare_version_that_cannot_be_published_leaves_no_copy(compare: Compare, trials: FakeTrials) -> None:
    trials.errors["publish"] = DeploymentError("SnapStart is not supported")

    with pytest.raises(DeploymentError, match="SnapStart is not supported"):
        compare()
    assert trials.calls[-1] == "delete shop-till-copy"


def test_compare_copy_that_stays_is_named_with_the_command(
    compare: Compare, trials: FakeTrials, capsys: pytest.CaptureFixture[str]
) -> None:
    trials.errors["delete"] = DeploymentError("not you")

    assert compare().without is not None

    assert capsys.readouterr().err == (
        "warning: the copy shop-till-copy could not be deleted: not you; delete it: "
        "aws lambda delete-function --function-name shop-till-copy --region eu-west-1\n"
    )


@pytest.mark.parametrize("runs", [0, 51])
def test_compare_impossible_runs_are_refused(compare: Compare, runs: int) -> None:
    with pytest.raises(UsageError, match=rf"^coldstart --snapstart: --runs must be between 1 and 50, got {runs}"):
        compare(runs=runs)


@pytest.mark.parametrize("runs", [1, 50])
def test_compare_smallest_and_greatest_runs_are_measured(compare: Compare, runs: int) -> None:
    trial = compare(runs=runs)

    assert trial.without is not None
    assert trial.without.count == runs


@pytest.mark.parametrize(
    ("environment", "variables"), [("here", {}), ("live", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})]
)
def test_compare_on_an_emulator_is_refused(
    compare: Compare, trials: FakeTrials, environment: str, variables: Mapping[str, str]
) -> None:
    message = f"{environment}: an emulator has neither Init nor Restore Duration; measure in an environment on AWS"
    with pytest.raises(ConfigurationError, match=message):
        compare(environment=environment, variables=variables)
    assert trials.calls == []


def test_compare_without_a_smoke_test_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"pyproject.toml: \[tool.alchemiser\]: has no smoke = "):
        snapstart.compare(make_shop(tmp_path), "live", "Till", variables={}, runs=1, yes=True)


def test_compare_unknown_function_is_refused(compare: Compare) -> None:
    with pytest.raises(UsageError, match="live has no function 'Tll'; its functions are: Stock, Till"):
        compare("Tll")


def test_compare_other_account_is_refused(compare: Compare, trials: FakeTrials) -> None:
    with pytest.raises(CheckFailedError):
        compare(identity=replace(TIMELESS, account="999999999999"))
    assert trials.calls == []


def test_compare_asks_for_the_environments_word(compare: Compare) -> None:
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return "live"

    compare(yes=False, ask=answer)

    assert asked == ["Type live to create a copy of Till in live, measure it and delete it:"]


def test_compare_not_confirmed_creates_nothing(compare: Compare, trials: FakeTrials) -> None:
    with pytest.raises(UsageError, match="cancelled: nothing was changed"):
        compare(yes=False, ask=lambda _: "no")
    assert trials.calls == []


def test_compare_without_a_terminal_needs_yes(compare: Compare) -> None:
    with pytest.raises(UsageError, match="coldstart --snapstart --env live: must be confirmed"):
        compare(yes=False)


def test_connect_opens_account_functions_and_trials(tmp_path: Path) -> None:
    seen: list[Scope] = []

    def keep(scope: Scope) -> Connection:
        seen.append(scope)
        raise DeploymentError("enough")

    with pytest.raises(DeploymentError, match="enough"):
        snapstart.compare(
            make_shop(tmp_path, pyproject_toml=SMOKE), "live", "Till", variables={}, runs=1, yes=True, connect=keep
        )

    (scope,) = seen
    target = scope.target
    connection = snapstart.connect(scope)
    assert (connection.functions, connection.trials) == (aws.Cloud(target), FunctionTrials(target))
    assert getattr(connection.identify, "__self__", None) == Account(target)


# --- views


def test_show_has_both_kinds_and_the_price(capsys: pytest.CaptureFixture[str]) -> None:
    snapstart.show(Trial("till", 512, Durations((900, 900, 900, 900, 1000)), Durations((200,))))

    assert [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()] == [
        "till start cold starts p50 p95 max",
        "without SnapStart init 5 900 980 1000",
        "with SnapStart restore 1 200 200",
        f"milliseconds; price: {PRICE}",
    ]


def test_show_what_was_not_measured_has_no_figure(capsys: pytest.CaptureFixture[str]) -> None:
    snapstart.show(Trial("till", 512, None, None))

    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()[1:3]]
    assert rows == ["without SnapStart init 0 not measured", "with SnapStart restore 0 not measured"]


def test_show_json_has_samples_and_null_for_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    snapstart.show_json(Trial("till", 512, Durations((900.0, 800.0)), None))

    assert json.loads(capsys.readouterr().out) == {
        "format": 1,
        "function": "till",
        "memory_mb": 512,
        "without": {
            "cold_starts": 2,
            "p50_ms": 850.0,
            "p95_ms": None,
            "max_ms": 900.0,
            "samples_ms": [900.0, 800.0],
        },
        "with_snapstart": None,
        "price": PRICE,
    }


def test_price_text_grows_with_the_memory() -> None:
    assert "2048 MB costs $7.80 a month per published version, and $0.28 per" in snapstart.price_text(2048)
