"""The bundled prices."""

from datetime import date

from desk.bundled import bundled_history


def test_bundled_history_has_every_symbol_of_both_files_without_flaw() -> None:
    history = bundled_history()

    assert len(history.closes) == 35
    assert not history.flaws
    assert (history.dates[0].item(), history.dates[-1].item()) == (date(1990, 1, 2), date(2023, 12, 29))


def test_bundled_history_closes_are_those_of_the_files() -> None:
    known = bundled_history().select(["SPY", "MSFT"]).through(date(2022, 3, 16))

    assert round(float(known.of("SPY")[-1]), 2) == 413.28
    assert known.of("MSFT")[-1] > 0


def test_bundled_history_is_read_once() -> None:
    assert bundled_history() is bundled_history()
