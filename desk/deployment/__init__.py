"""What only the product can say about its deployment: guards, status, the pause, and the contracts of stored data.

The automation calls these functions by the names in pyproject.toml; automation/deploying/checks/hooks.py has the rules.
"""
