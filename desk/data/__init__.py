"""Commands for the market data of an environment: `inv data.*`."""
