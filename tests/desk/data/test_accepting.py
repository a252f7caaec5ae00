"""`inv data.accept`: what was found is shown, confirmed and stored, and the monitor's next check uses it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from automation.system.errors import CheckFailedError, UsageError
from desk.data import quality
from desk.data.accepting import AcceptanceRequest, change
from desk.operations.environment import Environment
from tests.desk.operations.account import ARN, Sts
from tests.desk.operations.duty import ROOT, World, environment
from tests.the_alchemiser.data_quality_monitor.monitors import DAYS, InMemoryMonitor
from tests.the_alchemiser.data_quality_monitor.source_fake import second_bars
from tests.the_alchemiser.data_quality_monitor.test_acceptances import GOOD, disputing, shifted
from the_alchemiser.data_quality_monitor.acceptances import ACCEPTED_KEY, read_acceptances
from the_alchemiser.shared.messaging.commands import CheckDataQuality

Out = pytest.CaptureFixture[str]
TWO_DAYS = shifted(DAYS[45], 0.94, shifted(DAYS[30], 0.96))


@dataclass
class Desk:
    """A person at the desk of an environment whose lake was checked; `answers` are those to questions."""

    harness: InMemoryMonitor = field(default_factory=disputing)
    world: World = field(default_factory=World)
    answers: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    is_interactive: bool = True

    def connect(self, name: str = "prod") -> Callable[[Path, str], Environment]:
        deployed: Any = environment(self.world, name)
        object.__setattr__(deployed, "objects", lambda: self.harness.objects)
        object.__setattr__(deployed, "client", {"sts": Sts()}.__getitem__)
        return lambda root, asked: cast("Environment", deployed)

    def ask(self, question: str) -> str:
        self.asked.append(question)
        return self.answers.pop(0)

    def change(self, *symbols: str, name: str = "prod", **options: Any) -> None:
        change(
            ROOT,
            name,
            AcceptanceRequest(symbols or ("SPY",), **options),
            connect=self.connect(name),
            is_interactive=lambda: self.is_interactive,
            ask=self.ask,
        )

    @property
    def accepted(self) -> list[tuple[str, str]]:
        stored = read_acceptances(self.harness.objects).acceptances.accepted
        return [(acceptance.symbol, str(acceptance.date)) for acceptance in stored]


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr("getpass.getuser", lambda: "eva")
    desk = Desk()
    desk.harness.check()
    return desk


def test_accept_shows_the_finding_asks_and_stores_it(desk: Desk, capsys: Out) -> None:
    desk.answers = ["prod"]
    desk.change(reason="the exchange says so")

    title, header, row, *rest = capsys.readouterr().out.splitlines()
    assert title.strip() == f"SPY through {DAYS[59]}"
    assert header.split("  ")[0] == "code"
    assert row.split() == ["disagreement", str(DAYS[30]), "+0.10", "%", "-3.91", "%"]
    accepted, next_step = rest
    assert accepted == "accepted 1 finding of SPY"
    assert next_step == (
        "the monitor now checks again; its result in a minute: inv data.quality --env prod --symbol SPY"
    )
    assert desk.asked == ["Type prod to use SPY in prod in spite of this:"]
    [acceptance] = read_acceptances(desk.harness.objects).acceptances.accepted
    assert (acceptance.symbol, acceptance.code, acceptance.date) == ("SPY", "disagreement", DAYS[30])
    assert (acceptance.by, acceptance.reason) == (f"eva ({ARN})", "the exchange says so")
    assert acceptance.at == datetime(2022, 11, 28, 20, 45, tzinfo=UTC)
    assert acceptance.detail.startswith(f"{DAYS[30]}: the bars move by +0.10 %, the second source by -3.91 %")
    assert desk.world.sent == [("data_quality_monitor", CheckDataQuality(command="check-data-quality", as_of=DAYS[59]))]
    assert desk.world.broker.is_closed


def test_accepted_symbol_passes_the_next_check_and_is_shown(desk: Desk, capsys: Out, tmp_path: Path) -> None:
    desk.change(yes=True)
    assert desk.harness.check().passed
    capsys.readouterr()

    quality.report(ROOT, "prod", connect=desk.connect(), html=str(tmp_path / "q.html"))

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[3][:2] == ["SPY", "accepted"]
    [accepted] = [line for line in lines if line[:3] == ["SPY", "disagreement", str(DAYS[30])]]
    assert accepted[-1] == "yes"
    assert f"eva ({ARN})" in (tmp_path / "q.html").read_text()


def test_acceptance_that_holds_no_more_is_listed_as_such(desk: Desk, capsys: Out) -> None:
    desk.change(yes=True)
    desk.harness.source.served["SPY"] = second_bars(GOOD)
    desk.harness.check()
    capsys.readouterr()

    quality.report(ROOT, "prod", connect=desk.connect())

    out = capsys.readouterr().out
    assert "not found any more" in out
    assert out.splitlines()[3].split()[:2] == ["SPY", "ok"]


def test_accept_twice_changes_nothing(desk: Desk, capsys: Out) -> None:
    desk.change(yes=True)
    before = dict(desk.harness.objects.objects)
    desk.change(yes=True)

    assert capsys.readouterr().out.splitlines()[-1] == "accepted already: nothing was changed"
    assert desk.harness.objects.objects == before
    assert len(desk.world.sent) == 1


def test_accept_of_one_day_leaves_the_others(desk: Desk) -> None:
    desk.harness.source.served["SPY"] = second_bars(TWO_DAYS)
    desk.harness.check()
    desk.change("spy", yes=True, day=str(DAYS[45]))

    assert desk.accepted == [("SPY", str(DAYS[45]))]
    assert desk.harness.check().quarantined["SPY"].startswith(f"disagreement: {DAYS[30]}: ")

    desk.change(yes=True)
    assert desk.accepted == [("SPY", str(DAYS[45])), ("SPY", str(DAYS[30]))]
    assert desk.harness.check().passed


def test_accept_with_another_answer_changes_nothing(desk: Desk) -> None:
    desk.answers = ["y"]
    with pytest.raises(UsageError, match=r"cancelled: nothing was changed \(type prod to confirm\)"):
        desk.change()

    assert (desk.accepted, desk.world.sent) == ([], [])


def test_accept_without_a_terminal_needs_yes(desk: Desk) -> None:
    desk.is_interactive = False
    with pytest.raises(UsageError, match=r"^data\.accept --env prod: must be confirmed"):
        desk.change()

    desk.change(yes=True)
    assert desk.accepted == [("SPY", str(DAYS[30]))]


def test_accept_in_the_sandbox_asks_nothing(desk: Desk) -> None:
    desk.is_interactive = False
    desk.change(name="local")

    assert (desk.accepted, desk.asked) == ([("SPY", str(DAYS[30]))], [])


def test_accept_of_a_fault_of_the_bars_is_refused(desk: Desk) -> None:
    desk.harness.store("QQQ", GOOD[:20] + GOOD[21:])
    desk.harness.check()

    message = (
        "^data.accept: nothing of QQQ can be accepted: its faults are gap, and only what the second source "
        "contradicts or lacks can be; look with inv data.quality --env prod --symbol QQQ$"
    )
    with pytest.raises(UsageError, match=message):
        desk.change("QQQ", yes=True)
    assert desk.accepted == []


def test_accept_of_a_day_without_finding_is_refused(desk: Desk) -> None:
    with pytest.raises(UsageError, match=rf"nothing of SPY on {DAYS[31]} can be accepted: its faults are disagreement"):
        desk.change(yes=True, day=str(DAYS[31]))


def test_accept_of_a_good_symbol_says_that_it_is_not_quarantined(desk: Desk) -> None:
    with pytest.raises(UsageError, match="nothing of QQQ can be accepted: it is not quarantined"):
        desk.change("QQQ", yes=True)


@pytest.mark.parametrize("symbols", [(), ("SPY", "QQQ")])
def test_accept_takes_one_symbol(desk: Desk, symbols: tuple[str, ...]) -> None:
    with pytest.raises(
        UsageError, match=rf"expected one symbol, got {len(symbols)}; run inv data\.accept SPY --env prod"
    ):
        change(ROOT, "prod", AcceptanceRequest(symbols), connect=desk.connect())


def test_accept_that_somebody_else_overtook_writes_nothing(desk: Desk) -> None:
    def overtake() -> None:
        desk.harness.objects.plant(ACCEPTED_KEY, b"{}")

    desk.harness.objects.before_write = overtake
    with pytest.raises(CheckFailedError, match=r"^prod: somebody else has just accepted or withdrawn something"):
        desk.change(yes=True)

    assert (desk.accepted, desk.world.sent) == ([], [])


def test_accept_beside_malformed_acceptances_keeps_them(desk: Desk) -> None:
    desk.harness.objects.plant(ACCEPTED_KEY, b"junk")
    with pytest.raises(CheckFailedError, match=r"accepted\.json cannot be parsed.*correct the object, or delete it"):
        desk.change(yes=True)

    assert desk.harness.objects.objects[ACCEPTED_KEY].body == b"junk"


def test_withdrawal_shows_what_was_accepted_asks_and_quarantines_again(desk: Desk, capsys: Out) -> None:
    desk.change(yes=True)
    assert desk.harness.check().passed
    capsys.readouterr()
    desk.answers = ["prod"]
    desk.change(is_withdrawal=True)

    out = capsys.readouterr().out.splitlines()
    assert out[1].split()[:3] == ["SPY", "disagreement", str(DAYS[30])]
    assert out[1].split()[-1] == "yes"
    assert out[2] == "withdrew 1 acceptance of SPY"
    assert desk.asked == ["Type prod to withdraw this in prod:"]
    assert desk.accepted == []
    assert len(desk.world.sent) == 2
    assert list(desk.harness.check().quarantined) == ["SPY"]


def test_withdrawal_of_one_day_leaves_the_others(desk: Desk) -> None:
    desk.harness.source.served["SPY"] = second_bars(TWO_DAYS)
    desk.harness.check()
    desk.change(yes=True)
    desk.change(is_withdrawal=True, day=str(DAYS[30]), yes=True)

    assert desk.accepted == [("SPY", str(DAYS[45]))]


def test_withdrawal_of_nothing_is_refused(desk: Desk) -> None:
    desk.change(yes=True)
    message = "nothing of QQQ is accepted; inv data.quality --env prod lists what is"
    with pytest.raises(UsageError, match=message):
        desk.change("QQQ", is_withdrawal=True, yes=True)
    with pytest.raises(UsageError, match=f"nothing of SPY is accepted for {DAYS[31]}; "):
        desk.change(is_withdrawal=True, day=str(DAYS[31]), yes=True)

    assert desk.accepted == [("SPY", str(DAYS[30]))]


def test_report_of_a_disputed_symbol_names_the_command(desk: Desk, capsys: Out) -> None:
    quality.report(ROOT, "prod", symbol="SPY", connect=desk.connect())
    advice = "next    inv data.accept SPY --env prod, if the bars are right all the same"
    assert capsys.readouterr().out.splitlines()[-1] == advice

    desk.change(yes=True)
    desk.harness.check()
    quality.report(ROOT, "prod", symbol="SPY", connect=desk.connect())
    assert advice not in capsys.readouterr().out
