"""What a backtest prints and writes: text, JSON, CSV, and a page."""
