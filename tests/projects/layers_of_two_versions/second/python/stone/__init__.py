VERSION = "1.1"


def weigh(event):
    return len(event)
