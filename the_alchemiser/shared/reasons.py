"""Errors as the short codes that messages carry."""

from the_alchemiser.shared.errors import AlchemiserError


def reason_code(error: AlchemiserError) -> str:
    """The error's own `reason`, else its class: `NoBarsError` is `no_bars`."""
    own = getattr(error, "reason", None)
    if own is not None:
        return str(own)
    name = type(error).__name__.removesuffix("Error")
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).removeprefix("_")
