"""The words of the strategy language, from the tables of its parser."""

from automation.system import markdown
from the_alchemiser.shared.symphony.options import Decide, RsiMethod, StrategyOptions
from the_alchemiser.shared.symphony.tree import (
    Comparison,
    Frequency,
    IndicatorKind,
    Junction,
    Select,
    window_keys,
)

_WORDS = {
    "comparisons": [*Comparison],
    "compound conditions": [*Junction],
    "ends of a ranking": [*Select],
    "rebalancing": [f":{frequency}" for frequency in Frequency],
}
_INTRO = (
    "The words that a strategy file may use; the page Strategies says what they mean. Windows count sessions, each at "
    "least 1. An unknown word is an error that names the nearest one."
)


def page() -> str:
    """Return the page."""
    indicators = [(f"`{kind}`", ", ".join(f"`:{key}`" for key in window_keys(kind))) for kind in IndicatorKind]
    words = [(use, ", ".join(f"`{word}`" for word in listed)) for use, listed in _WORDS.items()]
    defaults = StrategyOptions()
    options = [
        ("`rsi`", _choices(RsiMethod), f"`{defaults.rsi}`"),
        ("`ddof`", "0 or 1", f"{defaults.ddof}"),
        ("`decide`", _choices(Decide), f"`{defaults.decide}`"),
    ]
    parts = (
        "# The strategy language",
        _INTRO,
        "## Indicators",
        markdown.table(("indicator", "windows"), indicators, cell=markdown.with_code),
        "## Other words",
        markdown.table(("for", "words"), words, cell=markdown.with_code),
        "## Options in book.toml",
        markdown.table(("option", "values", "default"), options, cell=markdown.with_code),
    )
    return "\n\n".join(parts) + "\n"


def _choices(kind: type[RsiMethod | Decide]) -> str:
    return " or ".join(f"`{choice}`" for choice in kind)
