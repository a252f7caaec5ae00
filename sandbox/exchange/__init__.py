"""The paper exchange: the broker's REST API on loopback, replaying real history on a simulated date."""
