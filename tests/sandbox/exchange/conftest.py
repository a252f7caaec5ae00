"""Loads the broker's SDK once, before warnings are errors for the modules that use it."""

import warnings

with warnings.catch_warnings():
    # The SDK's streaming client, which no test uses, imports a deprecated module of websockets.
    warnings.filterwarnings("ignore", "websockets", DeprecationWarning)
    import alpaca.trading.client  # noqa: F401
