"""Analyses of a finished backtest: rolling figures, distribution, contributions, split, comparison and robustness."""
