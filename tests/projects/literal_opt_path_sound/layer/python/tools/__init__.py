from pathlib import Path

NAMES = (Path(__file__).resolve().parents[2] / "settings.json").read_text()
