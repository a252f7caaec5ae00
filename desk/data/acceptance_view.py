"""Rows of tables about contested days and their acceptances. Pure."""

from collections.abc import Iterable

from the_alchemiser.data_quality_monitor.acceptances import Acceptance, Contested
from the_alchemiser.data_quality_monitor.comparing import FLAT, percent

FINDING_COLUMNS = ("code", "day", "bars", "second source")
ACCEPTANCE_COLUMNS = ("symbol", *FINDING_COLUMNS, "accepted", "by", "reason", "holds")


def finding_row(finding: Contested | Acceptance) -> tuple[str, ...]:
    """Return what both sources have on a contested day."""
    is_series = finding.code == FLAT
    bars = f"one price for {finding.value:.0f} sessions" if is_series else percent(finding.value)
    second = "nothing" if finding.second is None else percent(finding.second)
    return finding.code, str(finding.date), bars, second


def acceptance_row(acceptance: Acceptance, in_force: Iterable[Acceptance]) -> tuple[str, ...]:
    """Return an acceptance, and whether it is one of those that hold."""
    holds = "yes" if acceptance in in_force else "not found any more"
    at = f"{acceptance.at:%Y-%m-%d %H:%M}"
    return (acceptance.symbol, *finding_row(acceptance), at, acceptance.by, acceptance.reason, holds)
