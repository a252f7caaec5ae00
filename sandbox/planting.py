"""`inv sandbox.plant`: plant faults in the bars of the paper exchange or of the second source, list or remove them."""

import os
from dataclasses import dataclass
from pathlib import Path

from automation.system import console
from automation.system.errors import ToolError, UsageError
from sandbox.exchange.control import ExchangeControl, ExchangeError
from sandbox.settings import read_settings
from sandbox.trading_dates import parse_date

_BAD_REQUEST = range(400, 500)


@dataclass(frozen=True, slots=True)
class PlantRequest:
    """The options of the command, empty when not given; bar_faults.py describes them. Without a kind it only lists."""

    kind: str = ""
    symbol: str = ""
    day: str = ""
    last: str = ""
    factor: str = ""
    side: str = ""
    clear: bool = False


def plant(root: Path, request: PlantRequest) -> None:
    """Remove faults, or plant one; then list what is planted.

    Raises:
        UsageError: the fault cannot be planted; the message says why.
        ToolError: the exchange does not answer.
    """
    with ExchangeControl(read_settings(root, os.environ).exchange_url) as exchange:
        try:
            _change(exchange, request)
            planted = exchange.bar_faults()
        except ExchangeError as cause:
            if cause.status in _BAD_REQUEST:
                raise UsageError(str(cause), where="sandbox.plant") from cause
            raise ToolError(f"{cause}; run inv sandbox.up", where="sandbox.plant") from cause

    console.results(" ".join(f"{name}={value}" for name, value in fault.items()) for fault in planted)
    if not planted:
        console.result("no fault is planted in any bars")


def _change(exchange: ExchangeControl, request: PlantRequest) -> None:
    if request.clear:
        selection = {"symbol": request.symbol.upper(), "side": request.side}
        exchange.clear_bar_faults(**{name: value for name, value in selection.items() if value})
    if request.kind:
        if not request.symbol or not request.day:
            raise UsageError("--kind needs --symbol and --day", where="sandbox.plant")
        texts = {"last": request.last, "factor": request.factor, "side": request.side}
        settings = {name: text for name, text in texts.items() if text}
        exchange.plant_bar_fault(request.kind, request.symbol.upper(), parse_date(request.day), **settings)
