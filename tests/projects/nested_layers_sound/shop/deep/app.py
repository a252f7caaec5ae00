import names


def handler(event, context):
    return names.NAME
