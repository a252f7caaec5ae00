import json

from ddtrace import tracer


@tracer.wrap()
def handler(event, context):
    return json.dumps(event)
