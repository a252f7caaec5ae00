import sys

sys.path.append('/mnt/models/lib')

import torch


def handler(event, context):
    return torch.__name__
