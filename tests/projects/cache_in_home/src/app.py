from pathlib import Path

CACHE = Path.home() / ".report"
CACHE.mkdir(parents=True, exist_ok=True)


def handler(event, context):
    return {"cached": len(list(CACHE.iterdir()))}
