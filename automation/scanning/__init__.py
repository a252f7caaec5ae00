"""The security scan: findings of linters and of our own rules, and the reasons why some are accepted."""
