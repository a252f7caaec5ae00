from acme import VALUE


def handler(event, context):
    return VALUE
