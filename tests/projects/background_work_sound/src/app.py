import asyncio
import sqlite3
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor

warnings.warn("this is old", DeprecationWarning, stacklevel=1)
POOL = ThreadPoolExecutor(2)
SUM = sum(POOL.map(int, ("1", "2")))
DATABASE = sqlite3.connect(":memory:")

with tempfile.NamedTemporaryFile() as file:
    file.write(b"text")

print("starting")


async def answer():
    return SUM


def handler(event, context):
    return asyncio.run(answer())
