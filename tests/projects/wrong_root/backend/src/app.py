from src.util import VALUE


def handler(event, context):
    return VALUE
