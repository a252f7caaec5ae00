from datadog_lambda.metric import lambda_metric


def handler(event, context):
    return lambda_metric
