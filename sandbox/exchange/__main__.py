"""`python -m sandbox.exchange`: serve a paper exchange until SIGTERM."""

import argparse
import errno
import signal
import sys
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

import uvicorn

from sandbox.exchange.account import AccountMode
from sandbox.exchange.app import make_app
from sandbox.exchange.exchange import AccountTerms, Exchange, opening_state
from sandbox.exchange.history import HistoryError, load_history
from sandbox.exchange.keys import SANDBOX_KEY, SANDBOX_SECRET, SECOND_KEY
from sandbox.exchange.listening import listen
from sandbox.exchange.market import Market
from sandbox.exchange.money import to_cents
from sandbox.exchange.planting_routes import read_actions
from sandbox.exchange.rate_limit import DEFAULT_PER_MINUTE, RateLimit
from sandbox.exchange.refusals import Refusal
from sandbox.exchange.service import Venue
from sandbox.exchange.store import DamagedStateError, StateFile
from sandbox.kills import killing

DEFAULT_PORT = 8765
EXIT_CONFIGURATION = 4
EXIT_PORT_TAKEN = 5
EXIT_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code: 4 for an unusable history or state, 5 for a taken port."""
    options = parser().parse_args(arguments)
    try:
        listener = listen(options.host, options.port)
    except OSError as error:
        print(_listen_error(options.host, options.port, error), file=sys.stderr)  # noqa: T201
        return EXIT_PORT_TAKEN

    with listener:
        try:
            venue = open_venue(options)
        except (HistoryError, DamagedStateError, OSError, Refusal) as error:
            print(f"paper exchange: {error}", file=sys.stderr)  # noqa: T201
            return EXIT_CONFIGURATION

        # uvicorn raises the signal that stopped it again when it is done; these handlers turn it into an exit code.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        signal.signal(signal.SIGINT, lambda *_: sys.exit(EXIT_INTERRUPTED))
        make_server(venue).run(sockets=[listener])
    return 0


def open_venue(options: argparse.Namespace) -> Venue:
    """Load the history and resume the saved state, or start a new account and save it.

    Raises:
        HistoryError: the history cannot be read, or lacks a symbol that the saved account holds.
        DamagedStateError: the saved state cannot be read.
        OSError: a file cannot be read or written.
        Refusal: the file of corporate actions cannot be parsed.
    """
    market, store = Market(load_history(options.history)), StateFile(options.state)
    if options.corporate_actions is not None:
        read_actions(market, options.corporate_actions.read_bytes(), options.corporate_actions)
    state = store.load()
    if state is None:
        state = opening_state(market, AccountTerms(options.cash, AccountMode(options.mode)))
        store.save(state)
    quoted = {symbol for symbol, position in state.account.positions.items() if position.is_quoted}
    unknown = sorted(quoted - set(market.assets))
    if unknown:
        raise HistoryError(
            f"{options.history}: has no history of {', '.join(unknown)}, but the account in {options.state} holds "
            "shares of it"
        )
    limit = RateLimit(options.requests_per_minute)
    venue = Venue(Exchange(market, state), store, limit=limit, key=options.key, secret=options.secret)
    if options.second_history is not None:
        venue.second.market = Market(load_history(options.second_history))
    venue.second.key = options.second_key
    return venue


def make_server(venue: Venue) -> uvicorn.Server:
    """Create a server that runs until SIGTERM or SIGINT; it drops hanging requests one second after the signal."""
    config = uvicorn.Config(
        killing(make_app(venue)),
        access_log=False,
        log_level="error",
        lifespan="off",
        timeout_graceful_shutdown=1,
        ws="none",
    )
    return uvicorn.Server(config)


def _listen_error(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"paper exchange: port {port} of {host} is in use; stop the program that uses it, or pass another --port"
    return f"paper exchange: cannot listen on {host}:{port}: {error}"


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.exchange", description=__doc__)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--state", type=Path, required=True, help="the file that stores account, orders and clock")
    parser.add_argument("--history", type=Path, default=Path(__file__).parents[1] / "history")
    parser.add_argument("--cash", type=_money, default=Decimal(100_000), help="USD in a new account")
    parser.add_argument("--mode", choices=[mode.value for mode in AccountMode], default=AccountMode.CASH.value)
    parser.add_argument(
        "--requests-per-minute", type=_count, default=DEFAULT_PER_MINUTE, help="the rate limit; 0 means none"
    )
    parser.add_argument("--corporate-actions", type=Path, help="a JSON list of corporate actions to plant at the start")
    parser.add_argument("--second-history", type=Path, help="what the second source serves (default: the same)")
    parser.add_argument("--second-key", default=SECOND_KEY)
    parser.add_argument("--key", default=SANDBOX_KEY)
    parser.add_argument("--secret", default=SANDBOX_SECRET)
    return parser


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text} is not a number of requests; 0 means no limit")
    return int(text)


def _money(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{text} is not an amount") from None
    if not amount.is_finite() or not 0 <= amount < 10**12 or amount != to_cents(amount):
        raise argparse.ArgumentTypeError(f"{text} is not an amount in whole cents")
    return amount


if __name__ == "__main__":
    sys.exit(main())
