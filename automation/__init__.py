"""The suite behind inv and nox: sync, build, measure, deploy. It never ships to Lambda."""
