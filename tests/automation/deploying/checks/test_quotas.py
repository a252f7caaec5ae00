"""Quotas at their boundaries."""

from pathlib import Path

import pytest

from automation.deploying.checks import quotas
from automation.deploying.remarks import Level, Remark
from automation.project import model
from automation.system.accounts import LambdaLimits
from automation.system.targets import Target
from tests.automation.deploying.fake_accounts import scope_of
from tests.automation.projects import APP, make_shop

AWS = Target("eu-west-1")
GB = 1 << 30
REQUEST = "aws service-quotas request-service-quota-increase --service-code lambda --quota-code"


def limits(*, used: int = 0, concurrency: int = 1000, unreserved: int = 1000) -> LambdaLimits:
    return LambdaLimits(75 * GB, used, concurrency, unreserved)


@pytest.mark.parametrize(("count", "level"), [(101, Level.OK), (500, Level.OK), (501, Level.STOP)])
def test_resources_remark_at_the_limit(count: int, level: Level) -> None:
    remark = quotas.resources_remark("shop", "app.yaml", count)

    fix = "move some of them from app.yaml to a new stack" if level is Level.STOP else ""
    assert remark == Remark(level, "shop", f"{count} of at most 500 resources", fix)


def test_code_remark_that_just_fits() -> None:
    assert quotas.code_remark(limits(used=74 * GB), GB, AWS) == Remark(
        Level.OK, "Lambda code storage", "74.00 GB of 75.00 GB used, the new zips take up to 1.00 GB"
    )


def test_code_remark_without_room_stops() -> None:
    remark = quotas.code_remark(limits(used=74 * GB), GB + 1, AWS)

    assert (remark.level, remark.where) == (Level.STOP, "Lambda code storage")
    assert remark.fix == (
        "delete old layer versions (see aws lambda list-layers --region eu-west-1), or ask for more: "
        f"{REQUEST} L-2ACBD22F --desired-value 76 --region eu-west-1"
    )


@pytest.mark.parametrize(
    ("reserved", "owned", "level"),
    [(400, 0, Level.OK), (401, 0, Level.STOP), (450, 50, Level.OK), (451, 50, Level.STOP)],
)
def test_concurrency_remark_keeps_a_hundred_unreserved(reserved: int, owned: int, level: Level) -> None:
    remark = quotas.concurrency_remark(limits(unreserved=500), reserved=reserved, owned=owned, target=AWS)

    assert remark.level is level


def test_concurrency_remark_says_what_is_available() -> None:
    available = quotas.concurrency_remark(limits(unreserved=500), reserved=7, owned=0, target=AWS)
    missing = quotas.concurrency_remark(limits(unreserved=500), reserved=410, owned=0, target=AWS)

    assert available == Remark(
        Level.OK, "Lambda concurrency", "the functions reserve 7, the account can give 400 of 1000"
    )
    assert missing == Remark(
        Level.STOP,
        "Lambda concurrency",
        "the functions reserve 410, the account can give 400 (100 must stay unreserved)",
        "lower ReservedConcurrentExecutions, or ask for more: "
        f"{REQUEST} L-B99A9384 --desired-value 1010 --region eu-west-1",
    )


def test_concurrency_remark_used_up_account_has_nothing_to_give() -> None:
    remark = quotas.concurrency_remark(limits(unreserved=50), reserved=1, owned=0, target=AWS)

    assert remark.what == "the functions reserve 1, the account can give 0 (100 must stay unreserved)"


def test_concurrency_remark_small_account_can_reserve_nothing() -> None:
    small = limits(concurrency=10, unreserved=10)

    assert quotas.concurrency_remark(small, reserved=1, owned=0, target=AWS).level is Level.STOP


def test_reservations_are_resolved_with_the_parameters(tmp_path: Path) -> None:
    app = APP.replace("Colour: {Type: String, Default: green}", "Colour: {Type: Number, Default: 3}")
    app = app.replace("Handler: shop.till.handler.main,", "Handler: a.b, ReservedConcurrentExecutions: !Ref Colour,")
    app = app.replace("Handler: shop.ledger.handler.main", "Handler: a.b, ReservedConcurrentExecutions: !Ref Nowhere")
    scope = scope_of(model.load(make_shop(tmp_path, app_yaml=app)), "live")

    assert [dict(quotas.reservations(settings)) for settings in scope.stacks] == [{}, {"Till": 3}]
