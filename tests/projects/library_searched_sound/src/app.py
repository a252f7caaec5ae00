from ctypes import CDLL
from ctypes.util import find_library

LIBC = CDLL(find_library("c"))
# An accelerator that the code does without.
SCANNER = find_library("zbar")


def handler(event, context):
    return LIBC.getpid()
