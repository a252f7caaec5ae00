"""The log of a function: JSON, a line per entry, on stdout. Modules write to `logging.getLogger(__name__)`."""

import json
import logging
import os
import sys
import time
from typing import Any

PRODUCT = "the_alchemiser"
# What every record has; the rest of its fields are the caller's `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object; fields that are None are left out.

    Args:
        module: the name of the module of the product, which every line carries.
    """

    converter = staticmethod(time.gmtime)
    default_msec_format = "%s,%03d+0000"

    def __init__(self, module: str) -> None:
        super().__init__()
        self._module = module

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, without a line break."""
        line = {
            "level": record.levelname,
            "location": f"{record.funcName}:{record.lineno}",
            "message": record.getMessage(),
            "timestamp": self.formatTime(record),
            "service": self._module,
            "module": self._module,
            **{name: value for name, value in vars(record).items() if name not in _STANDARD},
            **self._exception(record),
            "xray_trace_id": _trace_id(),
        }
        present = {name: value for name, value in line.items() if value is not None}
        return json.dumps(present, default=str, ensure_ascii=False, separators=(",", ":"))

    def _exception(self, record: logging.LogRecord) -> dict[str, Any]:
        if not record.exc_info or record.exc_info[0] is None:
            return {}
        return {"exception": self.formatException(record.exc_info), "exception_name": record.exc_info[0].__name__}


def start(module: str) -> None:
    """Write the product's entries to stdout, from INFO up, in the name of this module; a second call does nothing."""
    logger = logging.getLogger(PRODUCT)
    if logger.handlers:
        return
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(module))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False  # the handler that Lambda has put on the root would write every entry again, as text


def _trace_id() -> str | None:
    # Lambda sets it anew for every event: Root=1-5759e988-bd862e3fe1be46a994272793;Parent=…;Sampled=1
    header = os.environ.get("_X_AMZN_TRACE_ID")
    return header.partition(";")[0].removeprefix("Root=") if header else None
