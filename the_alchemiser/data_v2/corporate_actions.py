"""Fetching corporate actions and storing them in the lake, before the bars and before the first run of an ex-date.

They cover every symbol that was ever refreshed: the book's universe, and symbols that left it. A holding that was never
in the book is not covered.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal, Protocol

from the_alchemiser.shared.broker.models import Asset, Bar
from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActionKind, CorporateActions
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.exchange_time import market_date
from the_alchemiser.shared.market_data.calendar import LOOK_BACK, BusinessTime
from the_alchemiser.shared.market_data.corporate_actions import (
    ActionsEntry,
    ActionsFetch,
    read_actions_entry,
    write_actions,
)
from the_alchemiser.shared.market_data.objects import ObjectStore
from the_alchemiser.shared.messaging.wiring import logger
from the_alchemiser.shared.records import Frozen

# The broker selects by the day on which it processes an action, which is the ex-date of a split.
BACK = timedelta(days=365)  # corrections of earlier actions are not expected
AHEAD = timedelta(days=10)  # splits are announced days before: those of the next sessions must be known tonight
SYMBOLS_PER_REQUEST = 100


class ActionsMarket(Protocol):
    """The part of the broker that knows corporate actions."""

    def corporate_actions(self, symbols: Iterable[str], start: date, end: date) -> tuple[CorporateAction, ...]: ...
    def assets_of(self, symbols: Iterable[str]) -> Mapping[str, Asset]: ...
    def bars(
        self, symbols: Iterable[str], start: date, end: date, *, adjustment: Literal["all", "raw", "split"] = "all"
    ) -> Iterator[tuple[str, tuple[Bar, ...]]]: ...


class ActionsRefresher(Frozen):
    """Keeps the stored corporate actions up to date."""

    market: ActionsMarket
    objects: ObjectStore

    def refresh(self, symbols: Iterable[str], time: BusinessTime) -> CorporateActions:
        """Fetch the actions of these symbols and of every symbol stored before, and store them.

        A failure does not stop the refresh of the bars: it is logged, and the monitor reports actions that are not up
        to date.

        Returns:
            All known actions; those stored before when they could not be refreshed, none when those cannot be read.
        """
        entry = ActionsEntry()
        try:
            entry = read_actions_entry(self.objects)
            fetch = self._fetch(tuple(sorted({*symbols, *entry.symbols})), time)
            return write_actions(self.objects, entry, fetch)
        except AlchemiserError as error:
            logger.warning("corporate actions not refreshed", extra={"reason": error.reason, "detail": str(error)})
            return entry.actions

    def _fetch(self, symbols: tuple[str, ...], time: BusinessTime) -> ActionsFetch:
        today = market_date(time.now)
        start, end = today - BACK, today + AHEAD

        actions: list[CorporateAction] = []
        for first in range(0, len(symbols), SYMBOLS_PER_REQUEST):
            actions.extend(self.market.corporate_actions(symbols[first : first + SYMBOLS_PER_REQUEST], start, end))
        return ActionsFetch(time.now, symbols, start, end, self._with_cash_in_lieu(actions, time.as_of))

    def _with_cash_in_lieu(self, actions: Iterable[CorporateAction], as_of: date) -> tuple[CorporateAction, ...]:
        """Return the actions with the cash that a split pays for a fraction of a share, where fractions cannot be kept.

        The broker publishes no such price. The last close before the ex-date, in new shares, is close to it.
        """
        listed = tuple(actions)
        splits = {action.symbol for action in listed if action.kind is CorporateActionKind.SPLIT}
        assets = self.market.assets_of(splits) if splits else {}
        whole = {symbol for symbol, asset in assets.items() if not asset.fractionable}
        return tuple(
            action.changed(cash=self._close_before(action, as_of) / action.ratio)
            if action.symbol in whole and action.kind is CorporateActionKind.SPLIT
            else action
            for action in listed
        )

    def _close_before(self, action: CorporateAction, as_of: date) -> Decimal:
        last = min(action.ex_date - timedelta(days=1), as_of)
        history = dict(self.market.bars((action.symbol,), last - LOOK_BACK, last, adjustment="raw"))
        bars = history.get(action.symbol, ())
        return bars[-1].close if bars else Decimal(0)
