NAME = "more"
