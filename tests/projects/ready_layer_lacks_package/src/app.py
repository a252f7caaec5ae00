import rates


def buy(event, context):
    return rates.of(event["host"])


def sell(event, context):
    return rates.of(event["host"])
