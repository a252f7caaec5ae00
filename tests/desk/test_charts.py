from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.charts import WIDTH, equity_curve, signal_bars, timeline
from desk.report_model import SignalLine, build_report_day
from tests.desk.evidence import DAY, whole_day

MONEY = st.decimals("0", "10000000", places=2)


def test_signal_bars_segments_touch_and_end_at_the_value() -> None:
    line = SignalLine("SPY", Decimal("0.39"), (("one", Decimal("0.3")), ("two", Decimal("0.09"))))

    bar = signal_bars([line], ["one", "two"]).bars[0]

    assert bar.segments[0].x + bar.segments[0].width == pytest.approx(bar.segments[1].x)
    assert bar.segments[1].x + bar.segments[1].width == pytest.approx(bar.end)
    assert bar.segments[0].width / bar.segments[1].width == pytest.approx(0.3 / 0.09)
    assert bar.value == "39.00%"


def test_signal_bars_colour_follows_the_strategy_not_the_position() -> None:
    line = SignalLine("SPY", Decimal("0.1"), (("two", Decimal("0.1")),))

    assert signal_bars([line], ["one", "two"]).bars[0].segments[0].colour == 1


def test_timeline_segments_fill_canvas_and_stay_visible() -> None:
    segments = timeline(build_report_day(whole_day()).steps)

    assert segments[-1].x + segments[-1].width == pytest.approx(WIDTH)
    assert min(segment.width for segment in segments) >= 3


def test_timeline_unfinished_step_draws_nothing() -> None:
    assert timeline(build_report_day(whole_day()).steps[-1:]) == ()


@given(MONEY, st.lists(MONEY, min_size=1, max_size=30))
def test_equity_curve_points_stay_on_canvas_in_order(before: Decimal, values: list[Decimal]) -> None:
    days: list[tuple[date, Decimal]] = [(DAY + timedelta(days=day), value) for day, value in enumerate(values)]

    curve = equity_curve(days, before=before)

    across = [point.x for point in curve.points]
    assert across == sorted(across)
    assert all(14 - 1e-6 <= point.y <= curve.base + 1e-6 for point in curve.points)
    assert 2 <= len(curve.up) <= 8


def test_equity_curve_higher_equity_is_drawn_higher() -> None:
    curve = equity_curve([(DAY, Decimal(101)), (DAY + timedelta(days=1), Decimal(99))], before=Decimal(100))

    assert curve.points[1].y < curve.points[0].y < curve.points[2].y
