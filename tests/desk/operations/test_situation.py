"""What the commands look at before they act; a broker that does not answer is part of it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from desk.operations.situation import Market, Situation, gather, sources_of
from tests.desk.operations.duty import (
    AS_OF,
    RUN_ID,
    SET_AT,
    STAGE,
    UNREACHABLE,
    VERDICT,
    WHO,
    FakeBroker,
    FakeSwitch,
    World,
    differing_books,
    environment,
    order,
    run,
    stored,
)
from tests.the_alchemiser.coordinator_v2.test_admission import MONDAY, at
from the_alchemiser.coordinator_v2.admission import StartRefusal, TradingDay
from the_alchemiser.shared.broker.models import OrderStatus
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.market_data.verdict import VerdictMalformedError
from the_alchemiser.shared.run.runs import RunState


def look(world: World) -> Situation:
    return gather(world.sources(), STAGE)


def market(world: World) -> Market:
    market = look(world).market
    assert market is not None
    return market


def test_gather_in_order() -> None:
    situation = look(World(store=stored(run(), run(RunState.FAILED, f"{RUN_ID}-r1"))))

    assert (situation.switch.value, situation.switch.since, situation.switch.by) == ("enabled", SET_AT, WHO)
    assert (situation.date, situation.broker_error, situation.data, situation.books) == (MONDAY, "", None, None)
    assert [run.run_id for run in situation.runs] == [RUN_ID, f"{RUN_ID}-r1"]
    assert situation.latest_run is not None
    assert situation.latest_run.run_id == f"{RUN_ID}-r1"


def test_gather_before_the_first_run_of_the_day_has_no_latest() -> None:
    assert look(World(store=stored(run(run_id="prod-2022-11-25", day=AS_OF)))).latest_run is None


def test_market_is_the_brokers_answer() -> None:
    answer = market(World(broker=FakeBroker(listed=[order(), order("mine"), order("done", OrderStatus.CANCELED)])))

    assert isinstance(answer.day, TradingDay)
    assert (answer.day.session.date, answer.day.as_of) == (MONDAY, AS_OF)
    assert answer.clock.timestamp == at(MONDAY, "15:45")
    assert answer.account.number == "PA1"
    assert answer.open_orders == (order(), order("mine"))


def test_market_on_a_holiday_says_so() -> None:
    world = World(broker=FakeBroker(day=date(2022, 11, 27)), verdict=None)

    situation = look(world)

    assert situation.market is not None
    assert isinstance(situation.market.day, StartRefusal)
    assert situation.market.day.reason == "not_a_session"
    assert (situation.date, situation.data) == (date(2022, 11, 27), None)


@pytest.mark.parametrize(
    ("account", "text"), [("", ""), ("PA1", ""), ("PA2", "account PA1, this environment trades PA2")]
)
def test_market_of_another_account_says_so(account: str, text: str) -> None:
    wrong = market(World(account=account)).wrong_account

    assert wrong.endswith(text)
    assert bool(wrong) is bool(text)


def test_gather_without_the_broker_takes_new_yorks_date() -> None:
    """It is Monday evening in New York, and Tuesday in UTC."""
    world = World(
        broker=FakeBroker(error=UNREACHABLE),
        store=stored(run()),
        now=datetime(2022, 11, 29, 3, tzinfo=UTC),
        verdict=None,
    )

    situation = look(world)

    assert (situation.market, situation.broker_error) == (None, "GET /v2/clock: connection refused")
    assert (situation.date, situation.latest_run) == (MONDAY, run())
    assert situation.data is None


def test_data_that_was_not_checked_is_named() -> None:
    stale = VERDICT.changed(as_of=AS_OF - timedelta(days=1))

    reasons = [refusal.reason for verdict in (None, stale) if (refusal := look(World(verdict=verdict)).data)]

    assert reasons == ["verdict_missing", "verdict_stale"]


def test_data_whose_verdict_cannot_be_parsed_is_named() -> None:
    def read() -> None:
        raise VerdictMalformedError("s3://lake/quality is not valid")

    situation = gather(replace(World().sources(), verdict=read), STAGE)

    assert situation.data is not None
    assert (situation.data.reason, situation.data.detail) == (
        "verdict_malformed",
        "s3://lake/quality is not valid",
    )


def test_books_are_the_latest_check() -> None:
    books = look(World(books=differing_books())).books

    assert books is not None
    assert books.differs


def test_gather_does_not_hide_an_error_of_aws() -> None:
    class Broken(FakeSwitch):
        def read(self) -> None:  # type: ignore[override]
            raise AlchemiserError("SSM")

    with pytest.raises(AlchemiserError, match="SSM"):
        look(World(switch=Broken()))


def test_sources_are_those_of_the_environment() -> None:
    world = World(books=differing_books(), broker=FakeBroker(number="PA7"))
    deployed = environment(world, BrokerAccount="PA9")

    sources = sources_of(deployed, world.broker, now=lambda: world.now)

    assert (sources.account, sources.now()) == ("PA9", world.now)
    assert (sources.switch, sources.broker, sources.runs) == (world.switch, world.broker, world.store)
    check = sources.books()
    assert check is not None
    assert check.differs


def test_sources_without_a_parameter_take_any_account() -> None:
    sources = sources_of(environment(World()), FakeBroker(), now=lambda: SET_AT)

    assert (sources.account, sources.books()) == ("", None)
