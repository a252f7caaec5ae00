"""A symbol's name, listing exchange and id."""

from dataclasses import dataclass
from functools import lru_cache
from uuid import NAMESPACE_URL, UUID, uuid5

_NAMESPACE = uuid5(NAMESPACE_URL, "https://paper-exchange.invalid/assets")
_LISTINGS = {
    "AAPL": ("Apple Inc. Common Stock", "NASDAQ"),
    "AMD": ("Advanced Micro Devices, Inc. Common Stock", "NASDAQ"),
    "AMZN": ("Amazon.com, Inc. Common Stock", "NASDAQ"),
    "BAC": ("Bank of America Corporation", "NYSE"),
    "BBY": ("Best Buy Co., Inc.", "NYSE"),
    "CVX": ("Chevron Corporation", "NYSE"),
    "GE": ("General Electric Company", "NYSE"),
    "GLD": ("SPDR Gold Shares", "ARCA"),
    "GOOG": ("Alphabet Inc. Class C Capital Stock", "NASDAQ"),
    "HD": ("The Home Depot, Inc.", "NYSE"),
    "IWM": ("iShares Russell 2000 ETF", "ARCA"),
    "JNJ": ("Johnson & Johnson", "NYSE"),
    "JPM": ("JPMorgan Chase & Co.", "NYSE"),
    "KO": ("The Coca-Cola Company", "NYSE"),
    "LLY": ("Eli Lilly and Company", "NYSE"),
    "META": ("Meta Platforms, Inc. Class A Common Stock", "NASDAQ"),
    "MRK": ("Merck & Co., Inc.", "NYSE"),
    "MSFT": ("Microsoft Corporation Common Stock", "NASDAQ"),
    "MTUM": ("iShares MSCI USA Momentum Factor ETF", "BATS"),
    "NFLX": ("Netflix, Inc. Common Stock", "NASDAQ"),
    "NVDA": ("NVIDIA Corporation Common Stock", "NASDAQ"),
    "PEP": ("PepsiCo, Inc. Common Stock", "NASDAQ"),
    "PFE": ("Pfizer Inc.", "NYSE"),
    "PG": ("The Procter & Gamble Company", "NYSE"),
    "QQQ": ("Invesco QQQ Trust, Series 1", "NASDAQ"),
    "QUAL": ("iShares MSCI USA Quality Factor ETF", "BATS"),
    "RRC": ("Range Resources Corporation", "NYSE"),
    "SIZE": ("iShares MSCI USA Size Factor ETF", "ARCA"),
    "SPY": ("SPDR S&P 500 ETF Trust", "ARCA"),
    "TLT": ("iShares 20+ Year Treasury Bond ETF", "NASDAQ"),
    "UNH": ("UnitedHealth Group Incorporated", "NYSE"),
    "USMV": ("iShares MSCI USA Min Vol Factor ETF", "BATS"),
    "VLUE": ("iShares MSCI USA Value Factor ETF", "BATS"),
    "WMT": ("Walmart Inc.", "NYSE"),
    "XOM": ("Exxon Mobil Corporation", "NYSE"),
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A US equity. Its id depends only on the symbol, so it is the same after every restart."""

    id: UUID
    symbol: str
    name: str
    exchange: str


@lru_cache(maxsize=1024)
def asset_of(symbol: str) -> Asset:
    """Return the asset of a symbol; without a listing above, its name is the symbol and its exchange NYSE."""
    name, exchange = _LISTINGS.get(symbol, (symbol, "NYSE"))
    return Asset(uuid5(_NAMESPACE, symbol), symbol, name, exchange)
