"""Measure built artifacts: their bytes, budgets, baselines and pages."""
