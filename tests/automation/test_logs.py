"""`inv logs` prints the lines of all functions in the order of time, and follows them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from automation import logs as front
from automation.deploying import scope as scopes
from automation.logs import Options, Sources
from automation.operating.merged_logs import Clock
from automation.system import console
from automation.system.accounts import Identity
from automation.system.errors import CheckFailedError, UsageError
from automation.system.function_logs import FunctionLogs
from automation.system.log_lines import LogLine
from automation.system.stacks import NoSuchStackError
from tests.automation.deploying.fake_accounts import TIMELESS
from tests.automation.operating.test_merged_logs import FakeLogs
from tests.automation.projects import make_shop

NOW = datetime(2026, 1, 2, 4, 0, tzinfo=UTC)


@dataclass
class Shop:
    """The environment live: two functions in stack app, and one in stack base."""

    root: Path
    functions_of: dict[str, dict[str, str]] = field(
        default_factory=lambda: {
            "shop-live-base": {"Stock": "shop-stock"},
            "shop-live": {"Till": "shop-till", "Ledger": "shop-ledger"},
        }
    )
    logs: FakeLogs = field(default_factory=FakeLogs)
    now: datetime = NOW
    identity: Identity = TIMELESS
    sleeps: int = 0

    def functions(self, stack_name: str) -> Mapping[str, str]:
        if stack_name not in self.functions_of:
            raise NoSuchStackError("there is no such stack", where=stack_name)
        return self.functions_of[stack_name]

    def write(self, function: str, minute: float, text: str | dict[str, Any]) -> None:
        """Write a line, some minutes before the present."""
        line = LogLine(NOW - timedelta(minutes=minute), "s", text if isinstance(text, str) else json.dumps(text))
        self.logs.groups.setdefault(f"/{function}", []).append(line)

    def sleep(self, _: float) -> None:
        self.sleeps += 1
        self.now += timedelta(seconds=30)
        if self.sleeps == 3:
            raise KeyboardInterrupt

    def show(self, **options: Any) -> None:
        front.show(
            self.root,
            "live",
            variables={},
            options=Options(**options),
            clock=Clock(lambda: self.now, self.sleep),
            connect=lambda _: Sources(lambda: self.identity, self, self.logs),
        )


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(make_shop(tmp_path))
    shop.write("till", 10, {"level": "INFO", "message": "sold", "run_id": "r-1"})
    shop.write("stock", 9, {"level": "WARNING", "message": "low", "run_id": "r-2"})
    shop.write("ledger", 8, "[ERROR] no page left")
    shop.write("till", 7, "REPORT RequestId: id-1 Duration: 3 ms")
    shop.write("stock", 61, "long ago")
    return shop


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    def output() -> list[str]:
        return capsys.readouterr().out.splitlines()

    return output


Printed = Callable[[], list[str]]


def test_show_merges_all_functions(shop: Shop, printed: Printed) -> None:
    shop.show()

    assert printed() == [
        "2026-01-02 03:50:00.000 Till   INFO     sold run_id=r-1",
        "2026-01-02 03:51:00.000 Stock  WARNING  low run_id=r-2",
        "2026-01-02 03:52:00.000 Ledger ERROR    no page left",
    ]


def test_show_debug_adds_the_lines_of_lambda(shop: Shop, printed: Printed) -> None:
    shop.show(level="debug")

    assert printed()[3:] == ["2026-01-02 03:53:00.000 Till   DEBUG    REPORT RequestId: id-1 Duration: 3 ms"]


def test_show_level_leaves_out_less_serious_lines(shop: Shop, printed: Printed) -> None:
    shop.show(level="warn")

    assert [line.split()[2] for line in printed()] == ["Stock", "Ledger"]


def test_show_text_keeps_the_lines_that_contain_it(shop: Shop, printed: Printed) -> None:
    shop.show(text="r-2")

    assert printed() == ["2026-01-02 03:51:00.000 Stock  WARNING  low run_id=r-2"]


def test_show_functions_reads_only_their_logs(shop: Shop, printed: Printed) -> None:
    shop.show(functions=("Till", "Stock"))

    assert [line.split()[2] for line in printed()] == ["Till", "Stock"]
    assert {request[1] for request in shop.logs.asked} == {"shop-till", "shop-stock"}


def test_show_function_by_its_code_folder(shop: Shop, printed: Printed) -> None:
    shop.show(functions=("till",))

    assert [line.split()[2] for line in printed()] == ["Till"]


def test_show_unknown_function_lists_those_that_exist(shop: Shop) -> None:
    choice = r"its functions are: Ledger \(ledger\), Stock \(stock\), Till \(till\)"

    with pytest.raises(UsageError, match=rf"^logs: live has no function 'Tii'; {choice}$"):
        shop.show(functions=("Tii",))


def test_show_same_name_in_two_stacks_has_the_stack(shop: Shop, printed: Printed) -> None:
    shop.functions_of["shop-live-base"] = {"Till": "shop-stock"}

    shop.show(level="info")

    assert [line.split()[2] for line in printed()] == ["app/Till", "base/Till", "Ledger"]


def test_show_since_reads_further_back(shop: Shop, printed: Printed) -> None:
    shop.show(since="2h")

    assert printed()[0] == "2026-01-02 02:59:00.000 Stock  INFO     long ago"


def test_show_json_prints_a_document_per_line(shop: Shop, printed: Printed) -> None:
    shop.write("till", 6, "ü")
    shop.show(json=True)

    lines = printed()
    assert [json.loads(line) for line in lines] == [
        {
            "at": "2026-01-02T03:50:00+00:00",
            "function": "Till",
            "level": "INFO",
            "line": {"level": "INFO", "message": "sold", "run_id": "r-1"},
        },
        {
            "at": "2026-01-02T03:51:00+00:00",
            "function": "Stock",
            "level": "WARNING",
            "line": {"level": "WARNING", "message": "low", "run_id": "r-2"},
        },
        {"at": "2026-01-02T03:52:00+00:00", "function": "Ledger", "level": "ERROR", "line": "[ERROR] no page left"},
        {"at": "2026-01-02T03:54:00+00:00", "function": "Till", "level": "INFO", "line": "ü"},
    ]
    assert "ü" in lines[-1]


def test_show_nothing_says_since_when_and_what_to_try(shop: Shop, printed: Printed) -> None:
    further, level = "look further back: --since", "look at less serious lines, too: --level debug"

    shop.show(text="r-9")
    shop.show(level="critical", since="5m")

    assert printed() == [
        f"no line of level info contains 'r-9' since 2026-01-02 03:00 UTC; {further} 1d; {level}",
        f"no line of level critical since 2026-01-02 03:55 UTC; {further} 1d; {level}",
    ]


@pytest.mark.parametrize(
    ("since", "hint"),
    [
        ("23h", "; look further back: --since 1d"),
        ("1d", "; look further back: --since 30d"),
        ("29d", "; look further back: --since 30d"),
        ("30d", ""),
    ],
)
def test_show_nothing_advises_only_what_was_not_tried(shop: Shop, printed: Printed, since: str, hint: str) -> None:
    shop.show(text="r-9", level="debug", since=since)

    moment = front.since_of(since, NOW)
    assert printed() == [f"no line of level debug contains 'r-9' since {moment:%Y-%m-%d %H:%M} UTC{hint}"]


def test_show_nothing_in_json_prints_nothing(shop: Shop, printed: Printed) -> None:
    shop.show(text="r-9", json=True)

    assert printed() == []


def test_show_without_functions_says_what_to_type(shop: Shop) -> None:
    shop.functions_of.clear()

    with pytest.raises(UsageError, match=r"^live has no deployed function; deploy it first: inv deploy --env live$"):
        shop.show()


@pytest.mark.parametrize(
    ("identity", "where"),
    [
        (replace(TIMELESS, account="999999999999"), "account"),
        (replace(TIMELESS, server_time=NOW - timedelta(minutes=6)), "clock"),
    ],
)
def test_show_with_wrong_credentials_reads_nothing(shop: Shop, identity: Identity, where: str) -> None:
    shop.identity = identity

    with pytest.raises(CheckFailedError, match="live cannot be used with these credentials") as caught:
        shop.show()

    assert [finding.where for finding in caught.value.findings] == [where]
    assert shop.logs.asked == []


def test_show_one_of_two_stacks_is_read(shop: Shop, printed: Printed) -> None:
    del shop.functions_of["shop-live"]

    shop.show()

    assert printed() == ["2026-01-02 03:51:00.000 Stock WARNING  low run_id=r-2"]


def test_show_unknown_level_is_refused_before_any_call(shop: Shop) -> None:
    with pytest.raises(UsageError, match="--level: there is no level 'loud'"):
        shop.show(level="loud")
    assert shop.logs.asked == []


def test_follow_prints_new_lines_until_interrupted(
    shop: Shop, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(console, "flush", lambda: flushed.append(shop.sleeps))
    shop.write("till", -0.7, {"level": "INFO", "message": "new", "run_id": "r-1"})

    with pytest.raises(KeyboardInterrupt):
        shop.show(follow=True, functions=("Till",), text="r-1")

    assert printed() == [
        "2026-01-02 03:50:00.000 Till INFO     sold run_id=r-1",
        "2026-01-02 04:00:42.000 Till INFO     new run_id=r-1",
    ]
    assert flushed == [0, 1, 2]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("5m", NOW - timedelta(minutes=5)),
        ("2h", NOW - timedelta(hours=2)),
        ("3d", NOW - timedelta(days=3)),
        ("99999d", datetime(1970, 1, 1, tzinfo=UTC)),
        ("0001-01-01", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2026-01-01", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T14:30", datetime(2026, 1, 1, 14, 30, tzinfo=UTC)),
        ("2026-01-01T14:30+02:00", datetime(2026, 1, 1, 12, 30, tzinfo=UTC)),
    ],
)
def test_since_of_an_age_or_a_time(text: str, moment: datetime) -> None:
    assert front.since_of(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "h", "2", "2w", "2h ago", "-2h", "yesterday", "999999d"])
def test_since_of_another_text_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        front.since_of(text, NOW)

    examples = "write 90s, 5m, 2h or 3d, or a time in UTC such as 2026-01-31T14:30"
    assert str(caught.value) == f"logs: --since {text!r} is neither an age nor a time; {examples}"


def test_connect_makes_no_call(shop: Shop) -> None:
    sources = front.connect(scopes.read(shop.root, "live", variables={}))

    assert isinstance(sources.logs, FunctionLogs)
    assert sources.logs.target.region == "eu-west-1"


def test_levels_have_colours(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    styles: list[str] = []
    monkeypatch.setattr(console, "result", lambda _, style="": styles.append(style))
    shop.write("till", 1, {"level": "CRITICAL"})

    shop.show(level="debug")

    assert styles == ["", "yellow", "red", "dim", "bold red"]
