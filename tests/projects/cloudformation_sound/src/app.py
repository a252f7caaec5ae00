from datetime import UTC, datetime
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")


def handler(event, context):
    return datetime.now(UTC).astimezone(NEW_YORK).isoformat()
