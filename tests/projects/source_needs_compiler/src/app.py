import ujson


def handler(event, context):
    return ujson.dumps(event)
