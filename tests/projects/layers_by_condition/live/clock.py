NAME = "live"
