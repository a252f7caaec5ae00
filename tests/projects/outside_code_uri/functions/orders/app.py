from common.money import VALUE


def handler(event, context):
    return VALUE
