"""What a change reaches: two states of a project, the imports between its modules, its templates and its tests."""
