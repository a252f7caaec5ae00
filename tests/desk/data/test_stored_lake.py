"""The lake of an environment: what it has, and an error that names what it does not have."""

from collections.abc import Callable

import pytest

from automation.system.errors import CheckFailedError, ConfigurationError, DeploymentError, UsageError
from desk.data.stored_lake import StoredLake, opened, parse_symbols, require_any
from tests.desk.data.stock import Stock
from tests.desk.operations.duty import ROOT
from tests.the_alchemiser.shared.market_data.samples import bars
from the_alchemiser.shared.market_data.lake import parquet_key
from the_alchemiser.shared.market_data.verdict import VERDICT_KEY


def use[T](stock: Stock, call: Callable[[StoredLake], T]) -> T:
    with opened(stock.connect(ROOT, "prod")) as lake:
        return call(lake)


def test_symbols_are_those_with_a_parquet_object() -> None:
    stock = Stock()
    for symbol in ("SPY", "BRK.B", "AAPL"):
        stock.store(symbol, bars(3))
    stock.objects.plant("bars/v1/TLT.json", b"{}")

    assert use(stock, lambda lake: lake.symbols()) == ("AAPL", "BRK.B", "SPY")


def test_read_returns_the_stored_bars() -> None:
    stock = Stock()
    stock.store("SPY", bars(3))

    assert use(stock, lambda lake: lake.read("SPY")).bars == bars(3)


def test_read_of_an_unknown_symbol_names_similar_ones() -> None:
    stock = Stock()
    for symbol in ("SPY", "SPYD", "TLT"):
        stock.store(symbol, bars(3))
    advice = r"run inv data\.status --env prod, or inv data\.refresh SPYY --env prod$"

    with pytest.raises(UsageError, match=rf"^prod: the lake has no bars of SPYY \(similar: SPY, SPYD\); {advice}"):
        use(stock, lambda lake: lake.read("SPYY"))


def test_read_of_an_unknown_symbol_without_similar_ones_counts_the_others() -> None:
    stock = Stock()
    stock.store("SPY", bars(3))

    with pytest.raises(UsageError, match=r"no bars of QQQ \(it has 1 other symbol\)"):
        use(stock, lambda lake: lake.read("QQQ"))


def test_read_of_a_truncated_object_names_it() -> None:
    stock = Stock()
    stock.store("SPY", bars(3))
    stock.truncate("SPY")
    fault = r"damaged: bars/v1/SPY\.parquet does not match its digest; run inv data\.refresh SPY --env prod$"

    with pytest.raises(CheckFailedError, match=rf"^prod: s3://lake/bars/v1/SPY\.parquet cannot be used: {fault}"):
        use(stock, lambda lake: lake.read("SPY"))


def test_lake_without_a_bucket_says_so_when_it_is_listed() -> None:
    stock = Stock(has_bucket=False)

    with pytest.raises(ConfigurationError, match=r"the bucket lake of the lake does not exist; run inv deploy --env"):
        use(stock, lambda lake: lake.symbols())


def test_lake_without_a_bucket_says_so_when_it_is_read() -> None:
    stock = Stock()
    stock.objects.has_bucket = False

    with pytest.raises(ConfigurationError, match=r"the bucket lake of the lake does not exist"):
        use(stock, lambda lake: lake.read("SPY"))


def test_lake_that_does_not_answer_is_a_deployment_error() -> None:
    stock = Stock()
    stock.objects.unreadable.add(parquet_key("SPY"))

    with pytest.raises(DeploymentError, match=r"planted; run inv status --env prod"):
        use(stock, lambda lake: lake.read("SPY"))


def test_verdict_that_cannot_be_parsed_is_a_failed_check() -> None:
    stock = Stock()
    stock.objects.plant(VERDICT_KEY, b"{")

    with pytest.raises(CheckFailedError, match=r"quality/v1/latest\.json is not a valid verdict"):
        use(stock, lambda lake: lake.verdict())


def test_parse_symbols_returns_each_once_as_the_broker_writes_it() -> None:
    assert parse_symbols(["spy", "BRK/B", "SPY"], task="data.get") == ("SPY", "BRK.B")


def test_parse_symbols_names_every_text_that_is_none() -> None:
    with pytest.raises(UsageError, match=r"^data\.get: found a b, spy!, expected symbols as the broker writes them"):
        parse_symbols(["spy!", "SPY", "a b"], task="data.get")


def test_require_any_of_an_empty_lake_says_how_to_fill_it() -> None:
    with pytest.raises(UsageError, match=r"^prod: the lake has no bars yet; run inv data\.refresh --env prod$"):
        use(Stock(), lambda lake: require_any(lake.symbols(), lake))
