"""The client near the rate limit: what waits, what is not sent, and what a caller learns."""

from decimal import Decimal

import pytest

from tests.the_alchemiser.shared.broker.answers import ACCOUNT, ORDER, Script, answer, broker_over
from the_alchemiser.shared.broker.errors import RateLimitedError
from the_alchemiser.shared.broker.models import OrderRequest, OrderType
from the_alchemiser.shared.broker.rate_limit import Pacing
from the_alchemiser.shared.broker.transport import Response
from the_alchemiser.shared.values import Side

REQUEST = OrderRequest("SPY", Side.BUY, Decimal(1), OrderType.MARKET, "a-trade-1")
NO_ORDER = {"code": 40410000, "message": "order not found for x"}
# The reset is in 2100: as far away as it can be, a minute.
LIMIT_REACHED = {"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "4102444800"}


def left(requests: int) -> dict[str, str]:
    return LIMIT_REACHED | {"X-RateLimit-Remaining": str(requests)}


def limited() -> Response:
    return answer(429, {"code": 42910000, "message": "rate limit exceeded"}, headers=LIMIT_REACHED)


def test_submit_over_the_limit_says_when_the_limit_resets() -> None:
    with pytest.raises(RateLimitedError) as raised:
        broker_over(Script([limited()])).submit(REQUEST)

    assert (raised.value.retry_after_s, raised.value.status, raised.value.code) == (60, 429, 42910000)


def test_submit_over_the_limit_without_headers_does_not_say_when() -> None:
    with pytest.raises(RateLimitedError) as raised:
        broker_over(Script([answer(429, {"message": "too many requests."})])).submit(REQUEST)

    assert raised.value.retry_after_s is None


def test_submit_does_not_wait_for_the_limit() -> None:
    pauses: list[float] = []
    script = Script([answer(200, ACCOUNT, headers=LIMIT_REACHED), answer(200, ORDER)])
    broker = broker_over(script, pauses)

    broker.account()
    broker.submit(REQUEST)

    assert pauses == []


def test_get_with_little_left_waits_for_the_reset() -> None:
    pauses: list[float] = []
    script = Script([answer(200, ACCOUNT, headers=LIMIT_REACHED), answer(200, ACCOUNT)])
    broker = broker_over(script, pauses, Pacing(longest_wait_s=60))

    broker.account()
    broker.account()

    assert pauses == [60]


def test_get_that_would_wait_too_long_raises_and_is_not_sent() -> None:
    script = Script([answer(200, ACCOUNT, headers=LIMIT_REACHED)])
    broker = broker_over(script)
    broker.account()

    with pytest.raises(RateLimitedError) as raised:
        broker.account()

    assert raised.value.retry_after_s == 60
    assert script.is_spent


def test_allowance_is_that_of_the_latest_trading_answer() -> None:
    script = Script(
        [
            answer(200, ACCOUNT, headers=left(150)),
            answer(200, {"trades": {}}, headers=left(99)),
            answer(404, NO_ORDER, headers=left(149)),
        ]
    )
    broker = broker_over(script)
    at_first = broker.allowance

    broker.account()
    after_account = broker.allowance
    broker.latest_trades(["SPY"])
    after_data = broker.allowance
    broker.order_by_client_id("x")

    assert at_first is None
    assert (after_account, after_data, broker.allowance) == (150, 150, 149)


def test_allowance_of_one_host_counts_trading_and_data() -> None:
    script = Script([answer(200, {"trades": {}}, headers=left(99))])
    broker = broker_over(script, data_url="http://trading.test")

    broker.latest_trades(["SPY"])

    assert broker.allowance == 99


def test_data_requests_keep_to_the_limit_of_their_host() -> None:
    pauses: list[float] = []
    script = Script([answer(200, {"trades": {}}, headers=LIMIT_REACHED), answer(200, ACCOUNT), answer(200, {})])
    broker = broker_over(script, pauses, Pacing(longest_wait_s=60))

    broker.latest_trades(["SPY"])
    broker.account()
    pauses_of_trading = list(pauses)
    broker.snapshots(["SPY"])

    assert pauses_of_trading == []
    assert pauses == [60]


def test_cancel_over_the_limit_is_sent_again_after_the_reset() -> None:
    pauses: list[float] = []
    script = Script([limited(), Response(204, {}, b"")])

    broker_over(script, pauses, Pacing(longest_wait_s=60)).cancel("an-id")

    assert script.request_lines == ["DELETE /v2/orders/an-id"] * 2
    assert pauses == [60]


def test_get_over_the_limit_is_sent_again_after_the_time_that_the_answer_names() -> None:
    pauses: list[float] = []
    refused = answer(429, {"message": "too many requests."}, headers={"Retry-After": "5"})
    script = Script([refused, refused, answer(200, {"trades": {}})])

    assert broker_over(script, pauses, Pacing(longest_wait_s=60)).latest_trades(["SPY"]) == {}
    # The pauses are only recorded, so the clock still shows nearly the whole wait after each.
    assert pauses == pytest.approx([0.1, 5, 0.3, 5], abs=0.5)
    assert script.is_spent
