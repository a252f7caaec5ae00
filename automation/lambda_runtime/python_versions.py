"""The system below each Python of Lambda. The Python that runs this process is `tools.own_python_version`."""

_FIRST_ON_AMAZON_LINUX_2023 = 12
_GLIBC_OF_AMAZON_LINUX_2 = 26
_GLIBC_OF_AMAZON_LINUX_2023 = 34


def is_amazon_linux_2023(python_minor: int) -> bool:
    """Return whether the runtime of Python 3.`python_minor` is on Amazon Linux 2023; earlier ones are on 2.

    Source: AWS Lambda runtimes.
    """
    return python_minor >= _FIRST_ON_AMAZON_LINUX_2023


def glibc_minor(python_minor: int) -> int:
    """Return the 34 of glibc 2.34, which the runtime of Python 3.`python_minor` has."""
    return _GLIBC_OF_AMAZON_LINUX_2023 if is_amazon_linux_2023(python_minor) else _GLIBC_OF_AMAZON_LINUX_2
