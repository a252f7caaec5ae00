"""A first decision imports no parts of numpy that it does not need."""

import subprocess
import sys
from pathlib import Path

DECIDE = """
import sys
from datetime import date
import numpy as np
from the_alchemiser.shared.symphony import parse
from the_alchemiser.strategy_v2.engine import evaluate
from the_alchemiser.strategy_v2.history import PriceHistory

dates = np.array(["2021-01-04", "2021-01-05", "2021-01-06"], dtype="datetime64[D]")
closes = np.array([100.0, 110.0, 121.0])
history = PriceHistory.from_series({"A": (dates, closes), "B": (dates[1:], closes[1:])})
strategy = parse('''
(defsymphony "Cold" {:asset-class "EQUITIES", :rebalance-frequency :daily}
  (if (> (rsi "A" {:window 2}) 50) [(asset "A" nil)] [(asset "B" nil)]))
''')
evaluate(strategy, history, as_of=date(2021, 1, 6), inception=date(2021, 1, 4), next_session=date(2021, 1, 7))
print(*(name for name in ("numpy.ma", "numpy.random", "numpy.polynomial", "numpy.fft") if name in sys.modules))
"""


def test_first_decision_imports_no_unneeded_part_of_numpy() -> None:
    root = Path(__file__).parents[3]

    done = subprocess.run([sys.executable, "-c", DECIDE], cwd=root, capture_output=True, text=True, check=True)

    assert done.stdout.split() == []
