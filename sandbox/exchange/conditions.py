"""Planted market conditions: how the market of one symbol differs from a liquid one. Only in memory."""

from decimal import Decimal
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class Condition(BaseModel):
    """The condition of one symbol's market, until it is cleared.

    Attributes:
        halted: nothing trades, and quotes and trades keep the time of the halt.
        quote_age_s: the quote's time stamp is this old.
        spread: the width of the quote as a fraction of the price: 0.8 quotes 60 and 140 around 100.
        empty_side: the side without orders; its price and size are 0.
        no_trade: the latest trade is unknown.
        since: when the condition was planted; the exchange fills it in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str
    halted: bool = False
    quote_age_s: float = Field(default=0.0, ge=0)
    spread: Decimal | None = Field(default=None, gt=0, lt=2)
    empty_side: Literal["bid", "ask", "both"] | None = None
    no_trade: bool = False
    since: AwareDatetime | None = None

    def lacks(self, side: Literal["bid", "ask"]) -> bool:
        return self.empty_side in {side, "both"}
