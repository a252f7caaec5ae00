"""Build parts of the page's charts for plotly: traces, axes and texts as JSON values. Pure.

A colour is the name of a style sheet variable such as `--c0`, and `--c0/0.16` the same colour with an opacity. The
page's script replaces it with the variable's value, so that the charts match the light and the dark theme.
"""

import html
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from the_alchemiser.strategy_v2.arrays import Floats

OWN, OTHER = "--accent", "--c7"
"""The colours of the backtest, and of what it is compared with."""

_FEW_DAYS = 10
_DAY_MS = 86_400_000
_LONGEST_LABEL = 28

Figure = Mapping[str, Any]
"""A chart: its `traces`, its `layout`, and the `label` that describes it to those who do not see it."""


def line(name: str, x: Sequence[object], y: Sequence[float | None], **settings: Any) -> dict[str, Any]:
    """Return a trace that connects points; None leaves a gap."""
    return {"type": "scatter", "mode": "lines", "name": plain(name), "x": list(x), "y": list(y), **settings}


def bars(name: str, x: Sequence[object], y: Sequence[object], **settings: Any) -> dict[str, Any]:
    """Return a trace of bars."""
    return {"type": "bar", "name": plain(name), "x": list(x), "y": list(y), **settings}


def iso_days(days: Sequence[date]) -> list[str]:
    """Return dates as plotly reads them."""
    return [day.isoformat() for day in days]


def rounded(values: Floats | Sequence[float], *, places: int = 5) -> list[float | None]:
    """Return rounded numbers; None for NaN, which JSON does not have."""
    return [None if np.isnan(value) else round(float(value), places) for value in values]


def time_axis(days: Sequence[date]) -> dict[str, Any]:
    """Return the ticks of a time axis: one per day for a short period, which plotly would divide into hours."""
    return {"dtick": _DAY_MS} if len(days) <= _FEW_DAYS else {}


def named_axis(names: Sequence[str]) -> dict[str, Any]:
    """Return an axis with a name at each of 0, 1, 2 …; long names are cut."""
    texts = [plain(name if len(name) <= _LONGEST_LABEL else f"{name[: _LONGEST_LABEL - 1]}…") for name in names]
    return {"tickmode": "array", "tickvals": list(range(len(names))), "ticktext": texts, "showgrid": False}


def legend_above() -> dict[str, Any]:
    """Return the position of a legend above its chart, which grows upward on a narrow page."""
    return {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}


def plain(text: str) -> str:
    """Return a text that plotly, which reads some HTML tags in texts, shows as it is."""
    return html.escape(text, quote=False)
