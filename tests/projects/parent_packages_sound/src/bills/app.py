from .texts import TEXT


def handler(event, context):
    return TEXT
