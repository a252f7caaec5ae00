from decimal import Decimal

import pytest
from pydantic import ValidationError

from sandbox.exchange.faults import NONE, Fault, FaultPlan, Kind, Misbehaviour
from sandbox.exchange.orders import PLAIN, Script

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

    assert plan.take(*ORDERS) == Misbehaviour(
        delay_s=0.5, loses_answer=True, script=Script(fill_fraction=Decimal("0.5"))
    )
    assert plan.planted == []


@pytest.mark.parametrize("setting", [{"kind": "explode"}, {"kind": "refuse", "times": 0}, {"kind": "rest", "no": 1}])
def test_fault_with_a_bad_setting_is_refused(setting: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Fault.model_validate(setting)


@pytest.mark.parametrize(
    ("faults", "script"),
    [
        ([Fault(kind="rest"), Fault(kind="partial_fill")], Script(fill_fraction=Decimal(0))),
        ([Fault(kind="fill_in_parts", parts=4, seconds=20)], Script(parts=4, every_s=20)),
        ([Fault(kind="fill_later", seconds=30)], Script(delay_s=30)),
        ([Fault(kind="hold", seconds=30)], Script(delay_s=30, held=True)),
        ([Fault(kind="hold", seconds=30), Fault(kind="fill_later", seconds=40)], Script(delay_s=40, held=True)),
        ([Fault(kind="reject_later", seconds=5)], Script(delay_s=5, is_rejected=True)),
        (
            [Fault(kind="done_for_day", fraction=Decimal("0.3")), Fault(kind="partial_fill")],
            Script(fill_fraction=Decimal("0.3"), is_done_for_day=True),
        ),
        ([Fault(kind="odd_status", status_name="odd", seconds=9)], Script(alias="odd", alias_s=9)),
    ],
)
def test_take_of_order_faults_scripts_the_order(faults: list[Fault], script: Script) -> None:
    assert planted(*faults).take(*ORDERS) == Misbehaviour(script=script)


@pytest.mark.parametrize(
    ("kind", "method", "path", "effect"),
    [
        ("cancel_ignored", "DELETE", "/v2/orders/1", Misbehaviour(ignores_cancel=True)),
        ("cancel_slowly", "DELETE", "/v2/orders", Misbehaviour(pending_s=7)),
        ("replace_slowly", "PATCH", "/v2/orders/1", Misbehaviour(pending_s=7)),
        ("latency", "GET", "/v1/corporate-actions", Misbehaviour(delay_s=7)),
        ("hang", "GET", "/v2/clock", Misbehaviour(hangs=True)),
    ],
)
def test_take_of_a_fault_has_its_effect(kind: Kind, method: str, path: str, effect: Misbehaviour) -> None:
    assert planted(Fault(kind=kind, seconds=7)).take(method, path, "") == effect


@pytest.mark.parametrize(
    ("kind", "method", "path"),
    [
        ("cancel_slowly", "GET", "/v2/orders/1"),
        ("cancel_ignored", "DELETE", "/v2/positions/SPY"),
        ("replace_slowly", "POST", "/v2/orders"),
        ("hold", "GET", "/v2/orders"),
        ("odd_status", "POST", "/v2/orders/1"),
    ],
)
def test_take_of_another_request_keeps_the_fault(kind: Kind, method: str, path: str) -> None:
    plan = planted(Fault(kind=kind))

    assert plan.take(method, path, "") is NONE
    assert len(plan.planted) == 1


def test_take_without_a_script_gives_the_plain_one() -> None:
    assert planted(Fault(kind="latency")).take(*ORDERS).script is PLAIN
