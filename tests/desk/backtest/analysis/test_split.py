from datetime import date

import empyrical
import numpy as np
import pytest

from automation.system.errors import UsageError
from desk.backtest.analysis.split import split_curves
from desk.backtest.result import Curve
from tests.desk.backtest.worlds import day_of

VALUES = np.array([100.0, 110, 99, 120, 90, 91])
CURVE = Curve("strategy", tuple(day_of(number) for number in range(6)), VALUES)
MARKET = Curve("SPY", CURVE.dates, VALUES[::-1])


def test_split_curves_statistics_agree_with_oracle_on_each_side() -> None:
    split = split_curves((CURVE, MARKET), day_of(3))

    assert (split.day, split.sessions) == (day_of(3), (2, 3))
    assert [curve.name for curve in split.curves] == ["strategy", "SPY"]
    for curve, divided in zip((CURVE, MARKET), split.curves, strict=True):
        inside, outside = curve.returns[:2], curve.returns[2:]
        assert divided.in_sample.sharpe == pytest.approx(empyrical.sharpe_ratio(inside), rel=1e-9)
        assert divided.out_of_sample.sharpe == pytest.approx(empyrical.sharpe_ratio(outside), rel=1e-9)
        assert divided.out_of_sample.max_drawdown == pytest.approx(empyrical.max_drawdown(outside), rel=1e-9)


def test_split_curves_parts_compound_to_whole() -> None:
    (divided,) = split_curves((CURVE,), day_of(4)).curves

    growth = (1 + divided.in_sample.total_return) * (1 + divided.out_of_sample.total_return)
    assert growth == pytest.approx(0.91)


def test_split_curves_between_sessions_begins_with_next() -> None:
    saturday = date(2021, 1, 9)

    assert split_curves((CURVE,), saturday).day == date(2021, 1, 11)


@pytest.mark.parametrize("day", [day_of(0), day_of(1), date(2021, 1, 12), date(2030, 1, 1)])
def test_split_curves_outside_sessions_raises(day: date) -> None:
    with pytest.raises(UsageError, match="the backtest trades from 2021-01-05 to 2021-01-11"):
        split_curves((CURVE,), day)
