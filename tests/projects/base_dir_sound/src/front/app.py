import rates


def handler(event, context):
    return rates.EURO
