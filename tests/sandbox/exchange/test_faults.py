from decimal import Decimal

import pytest
from pydantic import ValidationError

from sandbox.exchange.faults import Fault, FaultPlan, Misbehaviour

ORDERS = ("POST", "/v2/orders", "SPY")


def planted(*faults: Fault) -> FaultPlan:
    return FaultPlan(list(faults))


def test_take_without_faults_changes_nothing() -> None:
    assert FaultPlan().take(*ORDERS) == Misbehaviour()


def test_take_of_a_refusal_applies_it_times_times() -> None:
    plan = planted(Fault(kind="refuse", status=504, times=2))

    answers = [plan.take(*ORDERS).refusal for _ in range(3)]

    assert [answer.status if answer else 200 for answer in answers] == [504, 504, 200]


def test_take_of_two_refusals_uses_them_in_order() -> None:
    plan = planted(Fault(kind="refuse", status=429), Fault(kind="refuse", status=500))

    answers = [plan.take(*ORDERS).refusal for _ in range(2)]

    assert [answer.body() for answer in answers if answer] == [
        {"code": 42910000, "message": "rate limit exceeded"},
        {"code": 50010000, "message": "internal server error occurred"},
    ]


def test_take_of_a_market_data_refusal_has_no_code() -> None:
    refusal = planted(Fault(kind="refuse", status=429)).take("GET", "/v2/stocks/bars", "SPY").refusal

    assert refusal is not None
    assert refusal.body() == {"message": "too many requests."}


@pytest.mark.parametrize(
    ("fault", "request_"),
    [
        (Fault(kind="refuse", method="POST"), ("GET", "/v2/orders", "SPY")),
        (Fault(kind="refuse", path="/v2/stocks"), ORDERS),
        (Fault(kind="refuse", symbol="QQQ"), ORDERS),
        (Fault(kind="rest"), ("GET", "/v2/orders", "SPY")),
        (Fault(kind="commit_then_504"), ("POST", "/v2/positions", "")),
    ],
)
def test_take_without_a_match_keeps_the_fault(fault: Fault, request_: tuple[str, str, str]) -> None:
    plan = planted(fault)

    assert plan.take(*request_) == Misbehaviour()
    assert plan.planted == [fault]


def test_take_of_different_kinds_combines_them() -> None:
    plan = planted(
        Fault(kind="latency", seconds=0.5), Fault(kind="commit_then_504"), Fault(kind="partial_fill", symbol="spy")
    )

    assert plan.take(*ORDERS) == Misbehaviour(delay_s=0.5, loses_answer=True, fill_fraction=Decimal("0.5"))
    assert plan.planted == []


@pytest.mark.parametrize("setting", [{"kind": "explode"}, {"kind": "refuse", "times": 0}, {"kind": "rest", "no": 1}])
def test_fault_with_a_bad_setting_is_refused(setting: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Fault.model_validate(setting)
