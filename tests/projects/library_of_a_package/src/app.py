import magic


def handler(event, context):
    return magic.from_buffer(event["text"])
