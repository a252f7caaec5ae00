import made_module


def handler(event, context):
    return 1
