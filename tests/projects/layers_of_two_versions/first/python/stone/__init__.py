VERSION = "1.0"


def weigh(event):
    return len(event)
