import clock
import absent_clock


def handler(event, context):
    return clock.NAME, absent_clock.NAME
