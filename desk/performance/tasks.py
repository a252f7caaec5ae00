"""The task `pnl`; it imports what it needs, so that the other tasks start fast."""

from pathlib import Path

from invoke.context import Context
from invoke.tasks import task

ROOT = Path(__file__).resolve().parents[2]


@task(
    auto_shortflags=False,
    help={
        "env": "the name of an environment in pyproject.toml",
        "strategy": "show only this strategy, or unattributed",
        "since": "the first trading date, such as 2022-03-16 (default: all)",
        "json": "print JSON",
    },
)
def pnl(_context: Context, env: str = "", strategy: str = "", since: str = "", json: bool = False) -> None:
    """Show what account and strategies earned; exit 3 if books and broker differ."""
    from desk.performance import pnl

    pnl.pnl(ROOT, env, strategy=strategy, since=since, as_json=json)
