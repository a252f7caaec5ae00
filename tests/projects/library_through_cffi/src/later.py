import sound


def handler(event, context):
    return sound.play(event)
