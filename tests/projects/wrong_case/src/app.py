from tools.Helper import VALUE


def handler(event, context):
    return VALUE
