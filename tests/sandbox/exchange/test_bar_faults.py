"""Faults in bars: each kind changes what is served, on one side only, and nothing that trades."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sandbox.exchange.bar_faults import BarFault, BarFaults
from sandbox.exchange.exchange import Exchange, State
from sandbox.exchange.history import Bar
from sandbox.exchange.service import Venue
from sandbox.exchange.store import StateFile
from tests.sandbox.exchange.venues import payload, venue_of
from tests.sandbox.exchange.worlds import FRIDAY, MONDAY, THURSDAY, TUESDAY, WEDNESDAY, exchange_at, move, week_market

WEEK = {
    day: Bar(day, 10.0, 12.0, 9.0, 11.0 + number, 100)
    for number, day in enumerate((MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY))
}


def served(kind: str, **settings: Any) -> tuple[Bar, ...]:
    fault = BarFault.model_validate({"kind": kind, "symbol": "RISE", "day": WEDNESDAY, **settings})
    return BarFaults([fault]).apply("RISE", WEEK.values(), WEEK.__getitem__)


def closes(bars: tuple[Bar, ...]) -> list[tuple[int, float]]:
    return [(bar.date.day, bar.close) for bar in bars]


TRUE = [(14, 11.0), (15, 12.0), (16, 13.0), (17, 14.0), (18, 15.0)]


@pytest.mark.parametrize(
    ("kind", "settings", "expected"),
    [
        ("missing", {}, TRUE[:2] + TRUE[3:]),
        ("missing", {"last": THURSDAY}, [*TRUE[:2], TRUE[4]]),
        ("duplicate", {}, [*TRUE[:3], *TRUE[2:]]),
        ("zero", {}, [*TRUE[:2], (16, 0.0), *TRUE[3:]]),
        ("negative", {}, [*TRUE[:2], (16, -13.0), *TRUE[3:]]),
        ("spike", {"factor": 2.0}, [*TRUE[:2], (16, 26.0), *TRUE[3:]]),
        ("spike", {"factor": 2.0, "last": THURSDAY}, [*TRUE[:2], (16, 26.0), (17, 28.0), TRUE[4]]),
        ("level", {"factor": 10.0}, [(14, 110.0), (15, 120.0), *TRUE[2:]]),
        ("stale", {}, TRUE[:3]),
        ("flat", {}, [*TRUE[:3], (17, 13.0), (18, 13.0)]),
        ("flat", {"last": THURSDAY}, [*TRUE[:3], (17, 13.0), TRUE[4]]),
        ("volume", {"factor": 3.0}, TRUE),
    ],
)
def test_fault_changes_the_closes(kind: str, settings: dict[str, Any], expected: list[tuple[int, float]]) -> None:
    assert closes(served(kind, **settings)) == expected


def test_fault_of_a_volume_changes_only_it() -> None:
    assert [bar.volume for bar in served("volume", factor=3.0)] == [100, 100, 300, 100, 100]


def test_fault_inverted_swaps_high_and_low() -> None:
    assert [(bar.high, bar.low) for bar in served("inverted")][1:3] == [(12.0, 9.0), (8.99, 12.01)]


def test_fault_of_another_symbol_changes_nothing() -> None:
    fault = BarFault(kind="missing", symbol="CALM", day=WEDNESDAY)

    assert closes(BarFaults([fault]).apply("RISE", WEEK.values(), WEEK.__getitem__)) == TRUE


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"kind": "spike"}, "factor is for level, spike, volume, and these need it"),
        ({"kind": "zero", "factor": 2}, "factor is for level, spike, volume, and these need it"),
        ({"kind": "missing", "last": "2022-03-15"}, "last is before day"),
        ({"kind": "odd"}, "kind: Input should be 'missing'"),
        ({"kind": "missing", "side": "third"}, "side: Input should be 'broker' or 'second'"),
        ({"kind": "missing", "symbol": "NOPE"}, "symbol: NOPE has no history"),
    ],
)
def test_planting_what_fits_no_rule_is_refused(body: dict[str, Any], message: str) -> None:
    answer = venue_of().respond(
        "POST", "/_control/bar-faults", {}, {"symbol": "RISE", "day": WEDNESDAY.isoformat(), **body}
    )

    assert message in payload(answer, 422)["message"]


def plant(venue: Venue, **body: Any) -> Any:
    planted = {"symbol": "RISE", "day": TUESDAY.isoformat(), **body}
    return payload(venue.respond("POST", "/_control/bar-faults", {}, planted))


def broker_closes(venue: Venue, symbol: str = "RISE") -> list[float]:
    query = {"symbols": symbol, "timeframe": "1Day", "start": MONDAY.isoformat()}
    return [bar["c"] for bar in payload(venue.respond("GET", "/v2/stocks/bars", query))["bars"][symbol]]


def second_closes(venue: Venue, symbol: str = "RISE") -> list[str]:
    query = {"symbol": symbol, "interval": "1day", "start_date": "2022-03-14", "end_date": "2022-03-20", "order": "ASC"}
    answer = venue.respond("GET", "/time_series", query, key=venue.second.key)
    return [row["close"] for row in payload(answer)["values"]]


@pytest.mark.parametrize(
    ("side", "broker", "second"),
    [
        ("broker", [50.0, 102.0], ["50.00000", "51.00000"]),
        ("second", [50.0, 51.0], ["50.00000", "102.00000"]),
    ],
)
def test_planted_fault_is_on_one_side(side: str, broker: list[float], second: list[str]) -> None:
    venue = venue_of()
    plant(venue, kind="spike", factor=2, side=side)

    assert (broker_closes(venue), second_closes(venue)) == (broker, second)


def test_planted_fault_changes_no_quote() -> None:
    venue = venue_of()
    before = venue.respond("GET", "/v2/stocks/snapshots", {"symbols": "RISE"}).payload
    plant(venue, kind="spike", factor=2)

    assert venue.respond("GET", "/v2/stocks/snapshots", {"symbols": "RISE"}).payload == before


def test_planted_faults_are_listed_and_removed_by_symbol_and_side() -> None:
    venue = venue_of()
    plant(venue, kind="missing")
    plant(venue, kind="missing", symbol="CALM")
    listed = plant(venue, kind="missing", side="second")
    assert [(fault["side"], fault["symbol"]) for fault in listed] == [
        ("broker", "RISE"),
        ("broker", "CALM"),
        ("second", "RISE"),
    ]

    left = payload(venue.respond("DELETE", "/_control/bar-faults", {"symbol": "RISE", "side": "broker"}))
    assert [(fault["side"], fault["symbol"]) for fault in left] == [("broker", "CALM"), ("second", "RISE")]
    assert payload(venue.respond("DELETE", "/_control/bar-faults")) == []


def test_reset_removes_the_faults_of_both_sides() -> None:
    venue = venue_of()
    plant(venue, kind="missing")
    plant(venue, kind="missing", side="second")
    venue.respond("POST", "/_control/second-source", {}, {"credits_per_minute": 1})
    venue.respond("POST", "/_control/reset", {}, {})

    assert payload(venue.respond("GET", "/_control/bar-faults")) == []
    assert venue.second.limit.per_minute == 0


def test_bars_of_a_day_that_has_not_closed_are_not_served() -> None:
    venue = venue_of()
    assert second_closes(venue) == ["50.00000", "51.00000"]
    move(venue.exchange, date(2022, 3, 17))

    assert second_closes(venue) == ["50.00000", "51.00000", "52.00000"]


def restarted(path: Path) -> Venue:
    """Return the exchange that a new process opens on the state of an earlier one."""
    file = StateFile(path)
    state = file.load()
    assert state is not None
    return Venue(Exchange(week_market(), state), file)


def test_planted_faults_of_both_sides_survive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    venue = Venue(exchange_at(), StateFile(path))
    plant(venue, kind="spike", factor=2)
    plant(venue, kind="missing", side="second", last="2022-03-15")
    plant(venue, kind="missing", symbol="CALM")
    venue.respond("DELETE", "/_control/bar-faults", {"symbol": "CALM"})

    again = restarted(path)

    assert [fault.kind for fault in again.exchange.market.all_bar_faults()] == ["spike", "missing"]
    assert payload(again.respond("GET", "/_control/bar-faults")) == payload(
        venue.respond("GET", "/_control/bar-faults")
    )
    assert (broker_closes(again), second_closes(again)) == (broker_closes(venue), second_closes(venue))
    assert broker_closes(again) == [50.0, 102.0]
    assert second_closes(again) == ["50.00000"]


def test_reset_removes_the_faults_for_the_next_process_too(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    venue = Venue(exchange_at(), StateFile(path))
    plant(venue, kind="missing")
    plant(venue, kind="missing", side="second")
    venue.respond("POST", "/_control/reset", {}, {})

    assert restarted(path).exchange.market.all_bar_faults() == ()


class FullDisk:
    """A store that cannot write."""

    def save(self, state: State) -> None:
        raise OSError("no space left")


def test_fault_that_cannot_be_stored_is_not_planted() -> None:
    venue = Venue(exchange_at(), FullDisk())
    fault = {"kind": "missing", "symbol": "RISE", "day": "2022-03-15"}
    answer = venue.respond("POST", "/_control/bar-faults", {}, fault)

    assert answer.status == 500
    assert venue.exchange.market.all_bar_faults() == ()


def test_refused_order_leaves_the_faults_of_both_sides() -> None:
    venue = venue_of()
    plant(venue, kind="missing")
    plant(venue, kind="missing", side="second")
    assert venue.respond("POST", "/v2/orders", {}, {"symbol": "NOPE"}).status == 422

    assert [fault.side for fault in venue.exchange.market.bar_faults.planted] == ["broker"]
    assert [fault.side for fault in venue.second.faults.planted] == ["second"]
