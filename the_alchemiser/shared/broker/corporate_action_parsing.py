"""Parser of the broker's corporate actions, which come in one list per kind, each with its own fields."""

from collections.abc import Iterator
from datetime import date

from the_alchemiser.shared.broker.parsing import Record, decimal
from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActionKind

# Which field has the symbol that is held before the action, and its date, differs between the kinds.
_SYMBOL_FIELDS = ("symbol", "source_symbol", "acquiree_symbol", "old_symbol")
_DATE_FIELDS = ("ex_date", "effective_date", "process_date")


def corporate_actions(record: Record) -> list[CorporateAction]:
    """Parse one page. A kind of action that the product does not know becomes OTHER."""
    return [_action(kind, action) for kind, action in _by_kind(record["corporate_actions"] or {})]


def _by_kind(lists: Record) -> Iterator[tuple[str, Record]]:
    for kind, actions in lists.items():
        for action in actions or ():
            yield kind, action


def _action(kind: str, record: Record) -> CorporateAction:
    symbol, ex_date = _first(record, _SYMBOL_FIELDS), date.fromisoformat(_first(record, _DATE_FIELDS))
    match kind:
        case "forward_splits" | "reverse_splits":
            old, new = decimal(record["old_rate"]), decimal(record["new_rate"])
            return CorporateAction(symbol, ex_date, CorporateActionKind.SPLIT, old, new)
        case "stock_dividends":
            # `rate` is in new shares per share held, which stays: like a split of 1 into 1 + rate.
            new = 1 + decimal(record["rate"])
            return CorporateAction(symbol, ex_date, CorporateActionKind.SPLIT, new_rate=new)
        case "cash_dividends":
            return CorporateAction(symbol, ex_date, CorporateActionKind.DIVIDEND, cash=decimal(record["rate"]))
        case _:
            return CorporateAction(symbol, ex_date, CorporateActionKind.OTHER)


def _first(record: Record, fields: tuple[str, ...]) -> str:
    """Return the value of the first field that the record has.

    Raises:
        KeyError: the record has none of the fields.
    """
    for field in fields:
        if record.get(field):
            return str(record[field])
    raise KeyError(" or ".join(fields))
