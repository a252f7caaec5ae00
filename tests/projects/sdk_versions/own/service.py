import boto3

client = boto3.client("unheard-of")


def handler(event, context):
    return client
