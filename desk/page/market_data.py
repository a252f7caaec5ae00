"""What the page shows of the market data: the scorecards of the quality monitor."""

from desk.page.live import Connection
from the_alchemiser.data_quality_monitor.scorecards import ScorecardsEntry, read_scorecards


def gather(connection: Connection) -> ScorecardsEntry:
    """Read the scorecards; without any before the first check, or when they cannot be parsed.

    Raises:
        StateUnavailableError: S3 did not answer.
    """
    return read_scorecards(connection.environment.objects())
