"""Upload, create and execute change sets, and check what runs afterwards."""
