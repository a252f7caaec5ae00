import os
import sys

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from Money import rates


def handler(event, context):
    return {"rate": rates.EUR}
