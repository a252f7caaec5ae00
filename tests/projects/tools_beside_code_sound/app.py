import os

HERE = os.path.dirname(__file__)


def handler(event, context):
    return open(os.path.join(HERE, 'greeting.txt')).read()
