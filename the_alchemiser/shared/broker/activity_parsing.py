"""Parser of the broker's activities other than trades."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

from the_alchemiser.shared.broker.models import Activity
from the_alchemiser.shared.broker.parsing import Record, decimal, moment_of
from the_alchemiser.shared.exchange_time import new_york

_STAMP = "%Y%m%d%H%M%S%f"


def activity(record: Record) -> Activity:
    """Parse an activity other than a trade. A type that the product does not know keeps its name."""
    quantity, amount = record.get("qty"), record.get("net_amount")
    if amount is None and quantity is None:
        raise KeyError("net_amount")  # only an activity that moves shares may move no money

    return Activity(
        id=str(record["id"]),
        type=str(record["activity_type"]),
        booked_at=_booked_at(record),
        net_amount=Decimal(0) if amount is None else decimal(amount),
        symbol=record.get("symbol") or None,
        quantity=None if quantity is None else decimal(quantity),
        price=None if record.get("price") is None else decimal(record["price"]),
        is_canceled=record.get("status") == "canceled",
    )


def _booked_at(record: Record) -> datetime:
    """Return when the activity was created, UTC.

    Older records have no such field. Their ids begin with the time in New York; otherwise their day begins at midnight.
    """
    if record.get("created_at"):
        return moment_of(record["created_at"]).astimezone(UTC)
    stamp = str(record["id"]).partition("::")[0]
    try:
        local = datetime.strptime(stamp, _STAMP)  # noqa: DTZ007 - it gets its time zone below
    except ValueError:
        local = datetime.combine(date.fromisoformat(record["date"][:10]), time())
    return local.replace(tzinfo=new_york()).astimezone(UTC)
