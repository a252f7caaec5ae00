"""`inv pnl`: what the account and its strategies earned, reconciled with the broker."""
