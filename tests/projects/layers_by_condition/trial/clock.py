NAME = "trial"
