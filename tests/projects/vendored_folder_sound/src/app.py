import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), 'vendor'))

import toolbox
from toolbox.hammer import hit


def handler(event, context):
    return hit(toolbox)
