"""Record releases and who deploys, and choose the release to go back to."""
