"""`inv data.quality`: tables, details of a symbol, JSON, a page, and errors that say what to type."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from automation.system.errors import CheckFailedError, UsageError
from desk.data import quality
from desk.data.tasks import data_collection
from desk.operations.environment import Environment
from tests.contracts.written import written
from tests.desk.operations.duty import World, environment
from tests.the_alchemiser.shared.market_data.in_memory_objects import InMemoryObjects
from the_alchemiser.data_quality_monitor.scorecards import SCORECARDS_KEY, Incident, Scorecards, write_scorecards

Out = pytest.CaptureFixture[str]
STORED = Scorecards.read(written()["Scorecards"])
SPY = STORED.symbols[0].changed(
    incidents=(
        Incident(code="stale", detail="last bar", since=STORED.as_of, until=STORED.as_of),
        Incident(code="gap", detail="2022-03-01", since=STORED.symbols[0].as_of),
    )
)
TLT = SPY.changed(symbol="TLT", quarantined_since=None, incidents=(), checks={"gap": "passed"}, gaps=0, accepted=())
GLD = TLT.changed(
    symbol="GLD", incidents=(Incident(code="volume", detail="<30> times", since=SPY.as_of, quarantines=False),)
)


@dataclass
class Lake:
    """An environment whose lake has these objects."""

    objects: InMemoryObjects = field(default_factory=InMemoryObjects)

    def connect(self) -> Callable[[Path, str], Environment]:
        deployed = environment(World())
        object.__setattr__(deployed, "objects", lambda: self.objects)
        return lambda root, name: cast("Environment", deployed)


@pytest.fixture
def lake() -> Lake:
    lake = Lake()
    write_scorecards(lake.objects, STORED.changed(symbols=(GLD, SPY, TLT)), replaces=None)
    return lake


def report(lake: Lake, **options: object) -> None:
    quality.report(Path("root"), "prod", connect=lake.connect(), **options)  # type: ignore[arg-type] # options of any kind


def test_report_has_a_line_per_symbol_and_every_problem(lake: Lake, capsys: Out) -> None:
    report(lake)

    first, header, *lines = capsys.readouterr().out.splitlines()
    assert first == "3 symbols checked through 2022-03-15 at 2022-03-16 19:45 UTC: 1 quarantined, 1 problem"
    assert header.split() == list(quality._COLUMNS)
    assert [line.split()[:2] for line in lines[:3]] == [["GLD", "warned"], ["SPY", "quarantined"], ["TLT", "ok"]]
    assert "gap: 2022-03-01" in lines[1]
    assert lines[3:] == [
        "problem: old",
        "next    inv data.quality --env prod --symbol GLD shows everything about it",
    ]


def test_report_of_good_symbols_names_no_next_step(lake: Lake, capsys: Out) -> None:
    good = Lake()
    write_scorecards(good.objects, STORED.changed(symbols=(TLT,), problems=()), replaces=None)
    report(good)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("UTC: 0 quarantined")
    assert len(lines) == 3


@pytest.mark.parametrize("symbol", ["SPY", "spy"])
def test_report_of_a_symbol_shows_checks_and_incidents(lake: Lake, capsys: Out, symbol: str) -> None:
    report(lake, symbol=symbol)

    out = capsys.readouterr().out
    assert out.splitlines()[:4] == [
        "SPY: quarantined since 2022-03-01, checked through 2022-03-15",
        "bars      1500 from 2016-03-15 to 2022-03-15, 1 missing session",
        "compared  2022-03-15 (1500 sessions compared, 1 disputed), 1 disputed day",
        "confirmed 1 doubt by the second source",
    ]
    rows = [line.split() for line in out.splitlines()]
    assert ["gap", "2022-03-15", "still", "there", "2022-03-01"] in rows
    assert ["stale", "2022-03-15", "2022-03-15", "last", "bar"] in rows
    assert rows.index(["gap", "2022-03-01"]) < rows.index(["stale", "passed"])


def test_report_marks_warnings(lake: Lake, capsys: Out) -> None:
    report(lake, symbol="GLD")

    assert "volume (warning)  2022-03-15  still there  <30> times" in capsys.readouterr().out


def test_report_as_json_is_the_stored_object(lake: Lake, capsys: Out) -> None:
    report(lake, as_json=True)

    assert json.loads(capsys.readouterr().out) == json.loads(lake.objects.objects[SCORECARDS_KEY].body)


def test_report_as_json_of_a_symbol_has_only_its_card(lake: Lake, capsys: Out) -> None:
    report(lake, as_json=True, symbol="TLT")

    assert [card["symbol"] for card in json.loads(capsys.readouterr().out)["symbols"]] == ["TLT"]


def test_report_writes_a_page_that_escapes_texts(lake: Lake, capsys: Out, tmp_path: Path) -> None:
    report(lake, html=str(tmp_path / "quality.html"))

    page = (tmp_path / "quality.html").read_text()
    assert "&lt;30&gt; times" in page
    assert "1 quarantined, 1 problem" in page
    assert page.count(" 1 doubt confirmed by it.") == 3
    assert page.count('<section class="card"') == 4
    assert capsys.readouterr().out.endswith(f"page  {tmp_path / 'quality.html'}\n")


def test_report_page_with_another_ending_is_refused(lake: Lake) -> None:
    with pytest.raises(UsageError, match=r"^data\.quality: --html 'SPY' does not end in \.html"):
        report(lake, html="SPY")


def test_report_of_an_unknown_symbol_names_similar_ones(lake: Lake) -> None:
    message = "^data.quality: no strategy of the book needs SPX; similar: SPY; all: inv data.quality --env prod$"
    with pytest.raises(UsageError, match=message):
        report(lake, symbol="SPX")


def test_report_before_any_check_says_how_to_check() -> None:
    message = "^prod: the market data was not checked yet; run inv data.refresh --env prod, and this again in a minute$"
    with pytest.raises(CheckFailedError, match=message):
        report(Lake())


def test_report_of_malformed_scorecards_names_the_object() -> None:
    lake = Lake()
    lake.objects.plant(SCORECARDS_KEY, b"junk")
    with pytest.raises(
        CheckFailedError, match=r"^prod: s3://lake/quality/v1/scorecards\.json cannot be parsed.*run inv"
    ):
        report(lake)


def test_collection_has_the_task() -> None:
    assert "quality" in data_collection().task_names
