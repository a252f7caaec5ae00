from automation.sizing import history_record
from tests.automation.sizing.releases import WHEELS, history_of, wheels
from tests.automation.weights import MB


def test_as_json_has_releases_series_growths_and_notes() -> None:
    releases = (wheels("r1", ("v1",), numpy_1=MB), wheels("r2", numpy_2=2 * MB))

    assert history_record.as_json(history_of(*releases, limits={WHEELS: 3 * MB}, notes="a note")) == {
        "format": 1,
        "environment": "live",
        "limit_bytes": 262_144_000,
        "grew": {"share": 0.01, "bytes": 10_000},
        "releases": [
            {
                "release": "r1",
                "commit": "r1-commit-hash",
                "is_dirty": False,
                "created_at": "2026-01-02T03:04:05+00:00",
                "tags": ["v1"],
            },
            {
                "release": "r2",
                "commit": "r2-commit-hash",
                "is_dirty": False,
                "created_at": "2026-01-02T03:04:05+00:00",
                "tags": [],
            },
        ],
        "series": [
            {
                "kind": "layer",
                "stack": "app",
                "name": "Wheels",
                "limit_bytes": 3 * MB,
                "points": [
                    {"release": "r1", "bytes": MB, "parts": [{"name": "numpy", "version": "1", "bytes": MB}]},
                    {"release": "r2", "bytes": 2 * MB, "parts": [{"name": "numpy", "version": "2", "bytes": 2 * MB}]},
                ],
            }
        ],
        "growths": [
            {
                "kind": "layer",
                "stack": "app",
                "name": "Wheels",
                "release": "r2",
                "from_bytes": MB,
                "to_bytes": 2 * MB,
                "bytes": MB,
                "parts": [
                    {
                        "name": "numpy",
                        "from_version": "1",
                        "to_version": "2",
                        "from_bytes": MB,
                        "to_bytes": 2 * MB,
                        "bytes": MB,
                    }
                ],
            }
        ],
        "notes": ["a note"],
    }
