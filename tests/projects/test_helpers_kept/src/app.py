from django.test import RequestFactory


def handler(event, context):
    return str(RequestFactory)
