import stone


def handler(event, context):
    return stone.weigh(event)
