"""Prepare a fresh emulated AWS account: the broker's secret and the verified sender addresses."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from automation.system.aws import client
from automation.system.targets import Target
from sandbox.exchange.keys import SANDBOX_KEY, SANDBOX_SECRET

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sesv2 import SESV2Client

BROKER_SECRET = "/alchemiser/local/broker"  # noqa: S105 - the name of the secret, not the secret


def prepare_account(target: Target, *, senders: Iterable[str] = ()) -> None:
    """Create what the account lacks. Idempotent: existing resources keep their values.

    The kill switch is not created here: it belongs to the trading stack, which creates it enabled.

    Args:
        senders: mail addresses that the functions send from.
    """
    _create_secret(client("secretsmanager", target))

    mail: SESV2Client = client("sesv2", target)
    for sender in senders:
        try:
            mail.create_email_identity(EmailIdentity=sender)
        except mail.exceptions.AlreadyExistsException:
            continue


def _create_secret(secrets: "SecretsManagerClient") -> None:
    value = json.dumps({"key": SANDBOX_KEY, "secret": SANDBOX_SECRET})
    try:
        secrets.create_secret(Name=BROKER_SECRET, SecretString=value)
    except secrets.exceptions.ResourceExistsException:
        return
