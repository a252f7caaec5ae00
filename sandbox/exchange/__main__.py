"""`python -m sandbox.exchange`: serve a paper exchange until SIGTERM."""

import argparse
import errno
import signal
import socket
import sys
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

import uvicorn

from sandbox.exchange.account import Mode
from sandbox.exchange.app import make_app
from sandbox.exchange.exchange import Exchange, Terms, opening_state
from sandbox.exchange.history import HistoryError, load_history
from sandbox.exchange.market import Market
from sandbox.exchange.money import cents
from sandbox.exchange.service import SANDBOX_KEY, SANDBOX_SECRET, Venue
from sandbox.exchange.store import DamagedStateError, StateFile

DEFAULT_PORT = 8765
EXIT_CONFIGURATION = 4
EXIT_PORT_TAKEN = 5
EXIT_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        listener = listen(options.host, options.port)
    except OSError as error:
        print(_why_not_listening(options.host, options.port, error), file=sys.stderr)  # noqa: T201
        return EXIT_PORT_TAKEN
    with listener:
        try:
            venue = open_venue(options)
        except (HistoryError, DamagedStateError, OSError) as error:
            print(f"paper exchange: {error}", file=sys.stderr)  # noqa: T201
            return EXIT_CONFIGURATION
        # uvicorn raises the signal that stopped it once more when it is done: an orderly stop ends with these codes.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        signal.signal(signal.SIGINT, lambda *_: sys.exit(EXIT_INTERRUPTED))
        make_server(venue).run(sockets=[listener])
    return 0


def open_venue(options: argparse.Namespace) -> Venue:
    """Load the history and resume the saved state, or start a new account and save it.

    Raises:
        HistoryError, DamagedStateError, OSError: what stands in the way, with the file.
    """
    market, store = Market(load_history(options.history)), StateFile(options.state)
    state = store.load()
    if state is None:
        state = opening_state(market, Terms(options.cash, Mode(options.mode)))
        store.save(state)
    unknown = sorted(set(state.account.positions) - set(market.assets))
    if unknown:
        raise HistoryError(f"{options.history}: no history of {', '.join(unknown)}, which {options.state} holds")
    return Venue(Exchange(market, state), store, options.key, options.secret)


def make_server(venue: Venue) -> uvicorn.Server:
    """A server that runs until SIGTERM or SIGINT; requests that hang are dropped a second later."""
    config = uvicorn.Config(
        make_app(venue),
        access_log=False,
        log_level="error",
        lifespan="off",
        timeout_graceful_shutdown=1,
        ws="none",
    )
    return uvicorn.Server(config)


def listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio switches Nagle's delay off only where it reads TCP here.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def _why_not_listening(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"paper exchange: port {port} of {host} is taken; stop who listens there, or pass another --port"
    return f"paper exchange: cannot listen on {host}:{port}: {error}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.exchange", description=__doc__)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--state", type=Path, required=True, help="the file that keeps account, orders and clock")
    parser.add_argument("--history", type=Path, default=Path(__file__).parents[1] / "history")
    parser.add_argument("--cash", type=_money, default=Decimal(100_000), help="USD of a new account")
    parser.add_argument("--mode", choices=[mode.value for mode in Mode], default=Mode.CASH.value)
    parser.add_argument("--key", default=SANDBOX_KEY)
    parser.add_argument("--secret", default=SANDBOX_SECRET)
    return parser


def _money(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{text} is not an amount") from None
    if not amount.is_finite() or not 0 <= amount < 10**12 or amount != cents(amount):
        raise argparse.ArgumentTypeError(f"{text} is not an amount in whole cents")
    return amount


if __name__ == "__main__":
    sys.exit(main())
