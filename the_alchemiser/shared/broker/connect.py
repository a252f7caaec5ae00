"""The broker as a function's environment configures it."""

from collections.abc import Callable, Mapping

from the_alchemiser.shared.broker.client import Broker
from the_alchemiser.shared.broker.credentials import Credentials, broker_credentials, reread_broker_credentials
from the_alchemiser.shared.broker.rate_limit import Pacing


def broker_from_environment(environ: Mapping[str, str], *, pacing: Pacing | None = None) -> Broker:
    """Return the broker of BROKER_TRADING_URL and BROKER_DATA_URL.

    Nothing is connected or read yet: the first request reads the credentials from the secret BROKER_SECRET. They are
    read again when the broker refuses them, so that a rotated key needs no restart.

    Raises:
        KeyError: one of the three variables is missing.
    """
    secret_name = environ["BROKER_SECRET"]

    def keys() -> Credentials:
        return broker_credentials(secret_name)

    def reread() -> Credentials:
        return reread_broker_credentials(secret_name)

    return Broker(environ["BROKER_TRADING_URL"], environ["BROKER_DATA_URL"], keys, reread=reread, pacing=pacing)


def broker_checks(broker: Broker, environ: Mapping[str, str]) -> Mapping[str, Callable[[], object]]:
    """Return the checks of the health message: the secret can be read, and the broker accepts it and answers."""
    secret_name = environ["BROKER_SECRET"]

    def secret() -> Credentials:
        return broker_credentials(secret_name)

    return {"broker secret": secret, "broker clock": broker.clock}
