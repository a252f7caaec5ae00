"""`inv sandbox.plant` against a served exchange."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from automation.system.errors import ToolError, UsageError
from sandbox.exchange.service import Venue
from sandbox.planting import PlantRequest, plant
from tests.sandbox.exchange.serving import served
from tests.sandbox.exchange.venues import venue_of

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]
SPIKE = PlantRequest(kind="spike", symbol="rise", day="2022-03-15", factor="1.3", side="second")


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Venue]:
    venue = venue_of()
    with served(venue) as url:
        monkeypatch.setenv("ALCHEMISER_EXCHANGE_PORT", url.rpartition(":")[2])
        yield venue


def test_plant_plants_a_fault_and_lists_it(venue: Venue, capsys: pytest.CaptureFixture[str]) -> None:
    plant(Path(), SPIKE)

    (fault,) = venue.second.faults.planted
    assert (fault.symbol, fault.day, fault.factor) == ("RISE", date(2022, 3, 15), 1.3)
    assert capsys.readouterr().out == "side=second kind=spike symbol=RISE day=2022-03-15 factor=1.3\n"


def test_plant_without_options_lists(venue: Venue, capsys: pytest.CaptureFixture[str]) -> None:
    plant(Path(), PlantRequest())

    assert capsys.readouterr().out == "no fault is planted in any bars\n"


def test_plant_clear_removes_the_selected_faults(venue: Venue) -> None:
    plant(Path(), SPIKE)
    plant(Path(), PlantRequest(kind="missing", symbol="RISE", day="2022-03-15"))

    plant(Path(), PlantRequest(clear=True, symbol="rise", side="second"))

    assert venue.second.faults.planted == []
    assert len(venue.exchange.market.bar_faults.planted) == 1


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (PlantRequest(kind="spike", symbol="RISE"), "^sandbox.plant: --kind needs --symbol and --day$"),
        (PlantRequest(kind="zero", symbol="NOPE", day="2022-03-15"), "NOPE has no history"),
        (PlantRequest(kind="odd", symbol="RISE", day="2022-03-15"), "kind: Input should be 'missing'"),
        (PlantRequest(kind="zero", symbol="RISE", day="soon"), "soon"),
    ],
)
def test_plant_what_cannot_be_planted_says_why(venue: Venue, request_: PlantRequest, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        plant(Path(), request_)


def test_plant_without_an_exchange_says_how_to_start_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALCHEMISER_EXCHANGE_PORT", "9")
    with pytest.raises(ToolError, match=r"does not answer .*; run inv sandbox\.up$"):
        plant(Path(), PlantRequest())
