import numpy


def handler(event, context):
    return numpy.zeros(3)
