END = "s"
