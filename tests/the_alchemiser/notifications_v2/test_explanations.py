"""Every reason for which a start is refused has an explanation and next steps of its own."""

import pytest

from the_alchemiser.notifications_v2.explanations import REFRESH, RESTART, START, explain_refusal
from the_alchemiser.shared.messaging.commands import Command, RefreshMarketData, StartRun
from the_alchemiser.shared.messaging.delivery import parse

UNCHECKED = (f"Refresh the market data. {REFRESH}", START)
REFUSALS: dict[str, tuple[str, tuple[str, ...]]] = {
    "calendar_too_short": (
        "The broker's calendar is incomplete, so nobody can say whether today is a trading day.",
        ("Check the broker's status page.", START),
    ),
    "market_closed": (
        "The start came while the exchange was closed.",
        ("If a schedule sent it, read the log of coordinator_v2, and check its inbox for messages that wait.",),
    ),
    "not_a_session": ("The exchange is closed today.", ("Nothing: the next session's run starts by itself.",)),
    "paused": (
        "The kill switch is paused, missing or unreadable.",
        (
            "Find out who paused trading, and why.",
            "Run `inv status --env prod`: it prints the command that lets the system trade again.",
            START,
        ),
    ),
    "run_exists": (
        "Another run of today has not ended.",
        ("Wait for the mail about that run, then send the command again.",),
    ),
    "verdict_malformed": ("The quality verdict on the market data cannot be read.", UNCHECKED),
    "verdict_missing": ("The market data was never checked.", UNCHECKED),
    "verdict_stale": ("The market data was not checked through the session before today's.", UNCHECKED),
    "another_reason": ("The reason is: another reason.", ("Read the log of coordinator_v2.", START)),
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_explain_refusal_gives_meaning_and_steps(reason: str) -> None:
    assert explain_refusal(reason, stage="prod") == REFUSALS[reason]


@pytest.mark.parametrize(
    ("advice", "command"),
    [
        (START, StartRun(command="start-run", force=True)),
        (RESTART, StartRun(command="start-run", force=True)),
        (REFRESH, RefreshMarketData(command="refresh-market-data")),
    ],
)
def test_advised_command_is_one_that_an_inbox_accepts(advice: str, command: Command) -> None:
    body = advice[advice.index("{") : advice.index("}") + 1]

    assert parse(body) == command
