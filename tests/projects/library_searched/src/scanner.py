from ctypes import CDLL
from ctypes.util import find_library

NAME = find_library("zbar")
if NAME is None:
    raise ImportError("Unable to find the shared library zbar")
LIBRARY = CDLL(NAME)
