import os

from orders.store import name_of

TABLE = os.environ["TABLE"]


def handler(event, context):
    return name_of(TABLE)
