"""The page of the strategy language: every word that the parser knows as data."""

import re

from desk.documentation import language_page
from the_alchemiser.shared.symphony.tree import Comparison, Frequency, IndicatorKind, Junction, Select


def test_page_has_every_word() -> None:
    words = set(re.findall(r"`([^`]+)`", language_page.page()))

    kinds = (IndicatorKind, Comparison, Junction, Select)
    for kind in kinds:
        assert {str(word) for word in kind} <= words
    assert {f":{frequency}" for frequency in Frequency} <= words


def test_page_has_windows_and_defaults() -> None:
    page = language_page.page()

    assert "| `rsi` | `:window` |" in page
    assert "| `percentage-price-oscillator` | `:short-window`, `:long-window` |" in page
    assert "| `rsi` | `wilder` or `cutler` | `wilder` |" in page
    assert "| `ddof` | 0 or 1 | 1 |" in page
    assert "| `decide` | `first-session` or `before-period` | `first-session` |" in page
