"""Keep sent mails across a restart of the emulator, which otherwise saves everything of SES but them.

A day whose emulator is stopped and started again still has to show its mails.
"""

from collections.abc import Callable, Mapping, MutableMapping
from copy import deepcopy
from typing import Any

_KEY = "_sent_emails"


def apply() -> None:
    """Add the sent mails to what the emulator saves and loads of SES."""
    from ministack.services import ses  # type: ignore[import-not-found]  # noqa: PLC0415 - lives in the emulator's environment

    ses.get_state = saving(ses.get_state, ses._sent_emails)
    ses.load_persisted_state = loading(ses.load_persisted_state, ses._sent_emails)


def saving(save: Callable[[], Mapping[str, Any]], mails: MutableMapping[Any, Any]) -> Callable[[], Mapping[str, Any]]:
    """Return what saves the mails, too."""

    def save_with_mails() -> Mapping[str, Any]:
        return {**save(), _KEY: deepcopy(mails)}

    return save_with_mails


def loading(
    load: Callable[[Mapping[str, Any]], None], mails: MutableMapping[Any, Any]
) -> Callable[[Mapping[str, Any]], None]:
    """Return what loads the mails, too; a state that was saved without them has none."""

    def load_with_mails(state: Mapping[str, Any]) -> None:
        load(state)
        mails.update(state.get(_KEY, {}))

    return load_with_mails
