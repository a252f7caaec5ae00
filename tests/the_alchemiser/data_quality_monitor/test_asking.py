"""Asking the second source: whom first, what ends the questions, and what is said about it."""

from datetime import date

import pytest

from tests.the_alchemiser.data_quality_monitor.source_fake import InMemorySource, second_bars
from tests.the_alchemiser.data_quality_monitor.test_judging import AS_OF, GOOD, examined, halved
from the_alchemiser.data_quality_monitor.asking import NOT_ASKED, Answer, ask
from the_alchemiser.data_quality_monitor.judging import Examined, judge
from the_alchemiser.data_quality_monitor.second_source import (
    SecondSourceLimitedError,
    SecondSourceMalformedError,
    SecondSourceRefusedError,
    SecondSourceUnavailableError,
    UnknownSymbolError,
)
from the_alchemiser.shared.broker.credentials import CredentialsMalformedError, CredentialsMissingError
from the_alchemiser.shared.corporate_actions import CorporateActions

NO_ACTIONS = CorporateActions()


def symbol(name: str, *, in_doubt: bool = False, compared_on: date | None = None) -> Examined:
    history = halved(15) if in_doubt else GOOD
    card = judge(examined(GOOD), None, "x").card.changed(compared_on=compared_on)
    return examined(history, card).changed(symbol=name)


def book(**symbols: Examined) -> dict[str, Examined]:
    return {name: each.changed(symbol=name) for name, each in symbols.items()}


def agreeing(*names: str) -> InMemorySource:
    return InMemorySource({name: second_bars(halved(15) if name.startswith("D") else GOOD) for name in names})


def test_ask_symbols_in_doubt_first_and_then_the_longest_not_compared() -> None:
    source = agreeing("A", "B", "C", "D")
    symbols = book(
        A=symbol("A", compared_on=date(2022, 1, 5)),
        B=symbol("B"),
        C=symbol("C", compared_on=date(2022, 1, 4)),
        D=symbol("D", in_doubt=True),
    )

    answers = ask(source, symbols, NO_ACTIONS, sample=2)

    assert source.asked == [("D", True), ("B", False), ("C", False)]
    assert answers.of("D").note == "30 sessions compared, all agree"
    assert answers.of("A") == Answer(None, NOT_ASKED)
    assert answers.problems == ()


def test_ask_without_a_sample_asks_only_what_is_in_doubt() -> None:
    source = agreeing("A", "D")

    ask(source, book(A=symbol("A"), D=symbol("D", in_doubt=True)), NO_ACTIONS, sample=0)

    assert source.asked == [("D", True)]


def test_ask_counts_disputed_days() -> None:
    source = InMemorySource({"D": second_bars(GOOD)})

    answer = ask(source, book(D=symbol("D", in_doubt=True)), NO_ACTIONS, sample=0).of("D")

    assert answer.note == "30 sessions compared, 1 disputed"
    assert answer.comparison is not None
    assert answer.comparison.disputes[0].code == "unadjusted"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (SecondSourceUnavailableError("down"), "second_source_unavailable: down"),
        (SecondSourceLimitedError("later"), "second_source_limited: later"),
        (SecondSourceRefusedError("no"), "second_source_refused: no"),
        (CredentialsMissingError("secret x"), "credentials_missing: secret x"),
        (CredentialsMalformedError("secret x"), "credentials_malformed: secret x"),
    ],
)
def test_ask_ends_when_the_source_cannot_answer_and_names_who_was_left_out(error: Exception, reason: str) -> None:
    source = InMemorySource(fails={"*": error})

    answers = ask(source, book(A=symbol("A"), B=symbol("B"), C=symbol("C")), NO_ACTIONS, sample=2)

    assert source.asked == [("A", False)]
    assert answers.of("B") == Answer(None, f"the second source: {reason}")
    assert answers.problems == (f"the second source: {reason}; not compared: A, B",)


@pytest.mark.parametrize("error", [UnknownSymbolError("404"), SecondSourceMalformedError("odd")])
def test_ask_goes_on_after_an_error_of_one_symbol(error: Exception) -> None:
    source = agreeing("B")
    source.fails["A"] = error

    answers = ask(source, book(A=symbol("A"), B=symbol("B")), NO_ACTIONS, sample=2)

    assert answers.of("A").comparison is None
    assert answers.of("B").comparison is not None
    assert answers.problems == ()


def test_ask_never_asks_about_bars_that_cannot_be_compared() -> None:
    source = agreeing("A")
    broken = symbol("A").changed(is_comparable=False)

    ask(source, book(A=broken), NO_ACTIONS, sample=5)

    assert source.asked == []


def test_ask_compares_from_the_first_bar_through_as_of() -> None:
    source = InMemorySource({"A": second_bars(GOOD)})
    answer = ask(source, book(A=symbol("A")), NO_ACTIONS, sample=1).of("A")

    assert GOOD[-1].date == AS_OF
    assert answer.note.startswith("30 sessions")


def test_ask_sample_that_the_limit_shortens_is_no_problem() -> None:
    source = agreeing("A")
    source.fails["B"] = SecondSourceLimitedError("later")

    answers = ask(source, book(A=symbol("A"), B=symbol("B"), C=symbol("C")), NO_ACTIONS, sample=3)

    assert source.asked == [("A", False), ("B", False)]
    assert answers.problems == ()
    assert answers.of("C") == Answer(None, "the second source: second_source_limited: later")


def test_ask_symbol_in_doubt_that_the_limit_leaves_out_is_a_problem() -> None:
    source = agreeing("D")
    source.fails["E"] = SecondSourceLimitedError("later")

    answers = ask(
        source, book(D=symbol("D", in_doubt=True), E=symbol("E", in_doubt=True), F=symbol("F")), NO_ACTIONS, sample=1
    )

    assert answers.problems == ("the second source: second_source_limited: later; not compared: E, F",)


def test_ask_shortened_sample_after_an_outage_is_a_problem() -> None:
    source = agreeing("A")
    source.fails["B"] = SecondSourceUnavailableError("down")

    answers = ask(source, book(A=symbol("A"), B=symbol("B")), NO_ACTIONS, sample=2)

    assert answers.problems == ("the second source: second_source_unavailable: down; not compared: B",)
