from pathlib import Path

TITLE = (Path(__file__).resolve().parent / "title.txt").read_text()
