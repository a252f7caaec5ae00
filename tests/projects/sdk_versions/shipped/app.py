from urllib3.packages import six


def handler(event, context):
    return six.text_type(event)
