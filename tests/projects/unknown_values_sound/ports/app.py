import os

PORTS = [int(port) for port in os.environ["PORTS"].split(",")]


def handler(event, context):
    return PORTS
