"""Composes mails about completed runs, and reads the numbers of their tables."""

from decimal import ROUND_HALF_UP, Decimal

from tests.the_alchemiser.notifications_v2.reading import Document, html_and_text
from tests.the_alchemiser.notifications_v2.samples import BACKGROUND
from tests.the_alchemiser.results import completed
from the_alchemiser.notifications_v2.background import Background
from the_alchemiser.notifications_v2.mail import Mail
from the_alchemiser.notifications_v2.mail import compose as compose_mail
from the_alchemiser.shared.formats import CENT, MINUS
from the_alchemiser.shared.messaging.messages import RunCompleted

IN_CASH = completed(outcomes=()).changed(weights={}, cash=Decimal(1), positions=())


def compose(run: RunCompleted | None = None, background: Background = BACKGROUND) -> Mail:
    return compose_mail(run or completed(), background, stage="prod")


def texts(run: RunCompleted | None = None, background: Background = BACKGROUND) -> tuple[str, str]:
    """Return both parts, each in one line."""
    return html_and_text(compose(run, background))


def tables(run: RunCompleted | None = None, background: Background = BACKGROUND) -> dict[str, list[list[str]]]:
    """Return the rows of each table, by the name of its first column."""
    found = Document(compose(run, background).html).tables
    return {table[0][0]: table[1:] for table in found}


def number(text: str) -> Decimal:
    """Return the number in a cell; a percentage as a fraction."""
    plain = text.replace(MINUS, "-").replace("$", "").replace(",", "").replace("+", "")
    return Decimal(plain[:-1]) / 100 if plain.endswith("%") else Decimal(plain)


def cents(usd: Decimal) -> Decimal:
    return usd.quantize(CENT, ROUND_HALF_UP)
