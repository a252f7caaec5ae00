import sys

sys.path.append("/opt/lib")

import formats
import tools


def handler(event, context):
    return {"width": formats.WIDTH, "names": tools.NAMES}
