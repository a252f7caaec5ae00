"""The bundled prices."""

from datetime import date

from desk.bundled import bundled_history


def test_bundled_history_has_all_symbols_without_flaws() -> None:
    history = bundled_history()

    assert len(history.closes) == 35
    assert not history.flaws
    assert (history.dates[0].item(), history.dates[-1].item()) == (date(1990, 1, 2), date(2023, 12, 29))


def test_bundled_history_closes_match_files() -> None:
    known = bundled_history().select(["SPY", "MSFT"]).through(date(2022, 3, 16))

    assert round(float(known.of("SPY")[-1]), 2) == 413.28
    assert known.of("MSFT")[-1] > 0


def test_bundled_history_second_call_returns_same_object() -> None:
    assert bundled_history() is bundled_history()
