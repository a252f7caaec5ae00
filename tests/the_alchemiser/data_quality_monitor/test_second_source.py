"""The adapter to Twelve Data's API: what it asks, how it reads answers, and how long it waits."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest

from tests.the_alchemiser.shared.broker.answers import Answer, Script, answer
from the_alchemiser.data_quality_monitor.comparing import SecondBar
from the_alchemiser.data_quality_monitor.second_source import (
    SecondSourceError,
    SecondSourceKeyMissingError,
    SecondSourceLimitedError,
    SecondSourceMalformedError,
    SecondSourceRefusedError,
    SecondSourceUnavailableError,
    TwelveData,
    UnknownSymbolError,
    read_key,
)
from the_alchemiser.shared.broker.credentials import CredentialsMissingError

START, END = date(2022, 3, 14), date(2022, 3, 15)
ROWS = [
    {"datetime": "2022-03-14", "open": "1", "high": "1", "low": "1", "close": "417.00000", "volume": "95729200"},
    {"datetime": "2022-03-15", "open": "1", "high": "1", "low": "1", "close": "426.17001", "volume": "106345500"},
]
GOOD = answer(200, {"meta": {"symbol": "SPY"}, "values": ROWS, "status": "ok"})
BARS = {START: SecondBar(417.0, 95729200.0), END: SecondBar(426.17001, 106345500.0)}


class World:
    """A clock that only pauses move, and a source with scripted answers."""

    def __init__(self, answers: Sequence[Answer], *, budget_s: float = 200.0) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []
        self.keys = 0
        self.script = Script(answers)
        self.source = TwelveData(
            self.script,
            "http://second.test/",
            self._key,
            budget_s=budget_s,
            clock=lambda: self.now,
            sleep=self._sleep,
        )

    def _key(self) -> str:
        self.keys += 1
        return "the-key"

    def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def ask(self, *, may_wait: bool = True, start: date = START, end: date = END) -> Mapping[date, SecondBar]:
        return self.source.bars("SPY", start, end, may_wait=may_wait)


def error(code: int, message: str = "a message", status: int | None = None) -> Any:
    return answer(code if status is None else status, {"code": code, "message": message, "status": "error"})


def test_bars_are_asked_for_with_the_key_in_a_header() -> None:
    world = World([GOOD])

    assert world.ask() == BARS
    (request,) = world.script.requests
    assert (request.method, request.url) == ("GET", "http://second.test/time_series")
    assert request.headers == {"Authorization": "apikey the-key"}
    assert request.params == {
        "symbol": "SPY",
        "interval": "1day",
        "start_date": "2022-03-14",
        "end_date": "2022-03-16",
        "adjust": "all",
        "order": "ASC",
    }


def test_bars_read_the_key_once_and_not_before_a_request() -> None:
    world = World([GOOD, GOOD])
    assert world.keys == 0
    world.ask()
    world.ask()

    assert world.keys == 1


def test_bars_outside_the_dates_are_left_out() -> None:
    assert World([GOOD]).ask(end=START) == {START: BARS[START]}


def test_bars_of_many_years_are_asked_for_in_parts() -> None:
    world = World([GOOD, GOOD, GOOD])
    world.ask(start=date(1990, 1, 2), end=date(2022, 3, 15))

    spans = [(request.params["start_date"], request.params["end_date"]) for request in world.script.requests]
    assert spans == [("1990-01-02", "2004-12-30"), ("2004-12-30", "2019-12-28"), ("2019-12-28", "2022-03-16")]


def test_bars_without_a_volume_have_none() -> None:
    rows = [{"datetime": "2022-03-14 00:00:00", "close": "417"}]

    assert World([answer(200, {"values": rows, "status": "ok"})]).ask() == {START: SecondBar(417.0, 0.0)}


def test_bars_below_a_dollar_are_bars() -> None:
    rows = [{"datetime": "2022-03-14", "close": "0.01", "volume": "5"}]

    assert World([answer(200, {"values": rows, "status": "ok"})]).ask() == {START: SecondBar(0.01, 5.0)}


def test_bars_of_dates_without_data_are_none() -> None:
    assert World([error(400, "No data is available on the specified dates.")]).ask() == {}


@pytest.mark.parametrize(
    ("first", "expected", "is_of_symbol"),
    [
        (error(401), SecondSourceRefusedError, False),
        (error(401, status=200), SecondSourceRefusedError, False),
        (error(403), SecondSourceRefusedError, False),
        (error(404), UnknownSymbolError, True),
        (error(404, status=200), UnknownSymbolError, True),
        (error(400), UnknownSymbolError, True),
        (answer(400, {"message": "x"}), UnknownSymbolError, True),
        (error(500, status=200), SecondSourceUnavailableError, False),
    ],
)
def test_bars_errors_are_named_and_not_repeated(
    first: Answer, expected: type[SecondSourceError], *, is_of_symbol: bool
) -> None:
    world = World([first])
    with pytest.raises(expected) as raised:
        world.ask()

    assert raised.type is expected
    assert raised.value.is_of_symbol == is_of_symbol
    assert world.pauses == []


def test_bars_error_quotes_code_and_message() -> None:
    with pytest.raises(UnknownSymbolError, match=r"^it has nothing for SPY: 404 unknown symbol$"):
        World([error(404, "unknown symbol")]).ask()


@pytest.mark.parametrize(
    "failure",
    [TimeoutError("ReadTimeout"), ConnectionError("refused"), answer(500), answer(503, "x"), answer(200, "<p>")],
)
def test_bars_are_asked_for_three_times(failure: Answer) -> None:
    recovered = World([failure, failure, GOOD])
    assert recovered.ask() == BARS
    assert recovered.pauses == [0.5, 1.5]

    with pytest.raises(SecondSourceUnavailableError):
        World([failure] * 3).ask()


@pytest.mark.parametrize(
    "values",
    [
        None,
        [{"datetime": "2022-03-14"}],
        [{"datetime": "2022-03-14", "close": "0"}],
        [{"datetime": "2022-03-14", "close": "-1"}],
        [{"datetime": "2022-03-14", "close": "nan"}],
        [{"datetime": "2022-03-14", "close": "inf"}],
        [{"datetime": "yesterday", "close": "1"}],
        ["a row"],
    ],
)
def test_bars_that_cannot_be_prices_are_malformed(values: object) -> None:
    with pytest.raises(SecondSourceMalformedError, match=r"^its answer for SPY cannot be used: "):
        World([answer(200, {"values": values, "status": "ok"})]).ask()


def test_bars_over_the_limit_are_asked_for_in_the_next_minute() -> None:
    world = World([error(429), GOOD])

    assert world.ask() == BARS
    assert world.pauses == [60.0]


def test_bars_over_the_limit_do_not_wait_for_a_sample() -> None:
    world = World([error(429)])
    with pytest.raises(SecondSourceLimitedError, match=r"^it allows no further request in this minute$"):
        world.ask(may_wait=False)

    assert world.pauses == []


@pytest.mark.parametrize(("budget_s", "waits"), [(60.0, False), (60.5, True)])
def test_bars_over_the_limit_wait_no_longer_than_the_check_has(budget_s: float, *, waits: bool) -> None:
    world = World([error(429), GOOD], budget_s=budget_s)
    if waits:
        assert world.ask() == BARS
    else:
        with pytest.raises(SecondSourceLimitedError, match=r"^it allows the next request in 60 s, which is too late$"):
            world.ask()


def left(count: int) -> Answer:
    return GOOD.changed(headers={"api-credits-left": str(count)})


def test_bars_wait_when_the_answer_before_used_the_last_credit() -> None:
    world = World([left(1), left(0), left(7)])
    world.ask()
    world.now += 10
    world.ask()
    assert world.pauses == []
    world.ask()

    assert world.pauses == [50.0]


def test_bars_wait_for_nothing_when_the_minute_is_over() -> None:
    world = World([left(0), left(7)])
    world.ask()
    world.now += 61
    world.ask(may_wait=False)

    assert world.pauses == [0.0]


def test_bars_take_no_longer_than_the_check_has() -> None:
    world = World([GOOD], budget_s=10)
    world.now += 10
    with pytest.raises(SecondSourceUnavailableError, match="took all the time"):
        world.ask()

    assert world.script.requests == []


def test_bars_are_not_repeated_beyond_the_time_of_the_check() -> None:
    world = World([TimeoutError("late")], budget_s=0.5)
    with pytest.raises(SecondSourceUnavailableError, match=r"^it does not answer: late$"):
        world.ask()


class Secrets:
    def get_secret_value(self, *, SecretId: str) -> Mapping[str, Any]:  # noqa: N803
        return {"SecretString": '{"key": "the-key"}'}


class NoSecrets:
    def get_secret_value(self, *, SecretId: str) -> Mapping[str, Any]:  # noqa: N803
        raise CredentialsMissingError(f"secret {SecretId}")


def test_read_key_returns_the_key() -> None:
    assert read_key("a-secret", Secrets()) == "the-key"


def test_read_key_without_a_secret_says_what_is_missing() -> None:
    with pytest.raises(SecondSourceKeyMissingError, match=r"^secret a-secret$") as raised:
        read_key("a-secret", NoSecrets())

    assert raised.value.missing == "second source secret"
