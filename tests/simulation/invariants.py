"""Every invariant by name, and the check of an end state against all of them."""

from collections.abc import Callable, Iterator, Mapping

from tests.simulation import (
    book_invariants,
    limit_invariants,
    notice_invariants,
    order_invariants,
    reconciliation_invariants,
    run_invariants,
)
from tests.simulation.end_state import EndState
from tests.simulation.reading import Reading, Violation

type Invariant = Callable[[Reading], Iterator[str]]

INVARIANTS: Mapping[str, Invariant] = {
    invariant.__name__: invariant
    for invariant in (
        run_invariants.history_ends,
        run_invariants.one_terminal_state,
        run_invariants.every_run_is_settled,
        run_invariants.one_run_at_a_time,
        run_invariants.trades_wait_for_their_run,
        run_invariants.no_trade_is_lost,
        run_invariants.fills_are_reported,
        run_invariants.trouble_stays_local,
        run_invariants.executed_is_filled,
        run_invariants.days_are_measured_rightly,
        run_invariants.outcomes_are_the_last_word,
        run_invariants.degraded_runs_say_so,
        run_invariants.every_end_is_published,
        order_invariants.unique_client_order_ids,
        order_invariants.planned_orders_only,
        order_invariants.never_beyond_the_plan,
        order_invariants.never_beyond_the_trade,
        order_invariants.never_short,
        order_invariants.never_for_a_dead_run,
        order_invariants.nothing_rests,
        order_invariants.never_at_a_wild_price,
        order_invariants.never_after_a_pause,
        order_invariants.quarantined_stays,
        limit_invariants.never_near_the_close,
        limit_invariants.order_limits_hold,
        limit_invariants.day_limits_hold,
        book_invariants.every_fill_in_the_ledger,
        book_invariants.only_fills_in_the_ledger,
        book_invariants.attribution_is_complete,
        book_invariants.broker_is_ledger,
        book_invariants.broker_is_lots,
        reconciliation_invariants.first_run_opens_the_books,
        reconciliation_invariants.every_day_is_checked,
        reconciliation_invariants.differences_are_somebody_elses_trades,
        reconciliation_invariants.differences_are_reported,
        reconciliation_invariants.no_run_begins_while_books_differ,
        reconciliation_invariants.checks_never_go_back,
        reconciliation_invariants.books_are_measured_rightly,
        reconciliation_invariants.another_account_is_left_alone,
        notice_invariants.every_news_is_reported,
        notice_invariants.mail_at_most_twice,
        notice_invariants.mails_say_what_they_know,
        notice_invariants.every_subject_is_handled,
        notice_invariants.dead_letters_have_a_reason,
        notice_invariants.every_day_is_reported,
        notice_invariants.every_forced_start_answers,
    )
}


def check(end: EndState) -> tuple[Violation, ...]:
    """Return every violation of an end state; empty when all invariants hold."""
    reading = Reading(end)
    violations: list[Violation] = []
    for name, invariant in INVARIANTS.items():
        violations.extend(Violation(name, sentence) for sentence in invariant(reading))
    return tuple(violations)
