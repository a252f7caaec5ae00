run = lambda event, context: None  # noqa: E731
