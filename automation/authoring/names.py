"""The names of a new function and of its resources, after those of the function that it copies. Pure."""

import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from automation.system.errors import UsageError

_NAME = re.compile(r"[a-z][a-z0-9_]*[a-z0-9]|[a-z]")
# A queue's name has at most 80 characters, with the name of its stack in front and `-inbox` behind.
_MAX_LENGTH = 48
_CAMEL_WORD = re.compile(r"[A-Z]+(?![a-z])[a-z0-9]*|[A-Z]?[a-z0-9]+")
# The name of an AWS service, as in `sqs:SendMessage`, `arn:aws:sqs:…`, `aws.events` or `events.amazonaws.com`.
_BEFORE_SERVICE = r"(?<!::)(?<!arn:aws:)(?<!Partition\}:)(?<!\baws\.)"
_ACTION = r"(?<![^\s\"'\[{,])[\w-]+:[A-Z*]"
_BEHIND_SERVICE = r"\.amazonaws\.|\.\$\{AWS::URLSuffix"
_SUFFIXES = ("Function", "Lambda", "Handler", "Fn")


@dataclass(frozen=True, slots=True)
class Names:
    """A name in each of its spellings: `risk_check`, `risk-check`, `risk check`, `RiskCheck`."""

    module: str

    @property
    def kebab(self) -> str:
        return self.module.replace("_", "-")

    @property
    def words(self) -> str:
        return self.module.replace("_", " ")

    @property
    def camel(self) -> str:
        return "".join(word.capitalize() for word in self.module.split("_"))

    @property
    def spellings(self) -> Mapping[str, str]:
        """Return the variables of a scaffold that spell the name."""
        return {"module": self.module, "kebab": self.kebab, "words": self.words, "camel": self.camel}

    def like(self, name: str) -> str:
        """Return the spelling that another name has: with dashes or with underscores."""
        return self.kebab if "-" in name else self.module


def parse(name: str, *, command: str) -> Names:
    """Return the spellings of a name from the command line.

    Raises:
        UsageError: it is missing, too long, or cannot be the name of a Python module.
    """
    if not name:
        raise UsageError(f"a name is missing; type, for example, inv {command} risk_check")
    if not _NAME.fullmatch(name) or "__" in name:
        raise UsageError(
            f"{name!r} cannot be a name: use small letters, digits and single underscores, as in risk_check"
        )
    if len(name) > _MAX_LENGTH:
        raise UsageError(f"{name!r} has {len(name)} characters; choose a name of at most {_MAX_LENGTH}")
    if keyword.iskeyword(name):
        raise UsageError(f"{name!r} is a word of Python; choose another name")
    return Names(name)


def suffix_of(logical_id: str) -> str:
    """Return how the logical id of a function ends, such as `Function`; empty for none of the usual words."""
    return next((suffix for suffix in _SUFFIXES if logical_id.endswith(suffix) and logical_id != suffix), "")


def new_ids(copied: Iterable[str], function: str, names: Names, *, kinds: Mapping[str, str]) -> Mapping[str, str]:
    """Return the logical id of each copy, by the id of its original.

    Args:
        copied: the resources to copy.
        function: the function that is copied.
        kinds: what a rule or a schedule is called, such as `Rule`; their own names say what the original does.
    """
    suffix = suffix_of(function)
    stem = function.removesuffix(suffix)
    renamed = {function: names.camel + suffix}
    # Short ids first, so that an alarm's id follows that of the queue with whose id it begins.
    others = sorted(set(copied) - {function}, key=lambda name: (name not in kinds, len(name), name))
    for name in others:
        prefix = max((known for known in renamed if _begins(name, known)), key=len, default="")
        if name in kinds:
            renamed[name] = names.camel + kinds[name]
        elif prefix:
            renamed[name] = renamed[prefix] + name.removeprefix(prefix)
        elif name == stem or _begins(name, stem):
            renamed[name] = names.camel + name.removeprefix(stem)
        else:
            renamed[name] = names.camel + name.removeprefix(_shared_prefix(name, others))
    return renamed


def replacements(ids: Mapping[str, str], module: str, new: Names) -> Mapping[str, str]:
    """Return the words to replace in a copied block: logical ids, also as physical names spell them, and the module.

    Args:
        ids: by the logical id of an original, that of its copy, which begins with the new name.
        module: the name that the original's code has; empty for none.
    """
    words: dict[str, str] = {}
    for old, copied in ids.items():
        rest = copied.removeprefix(new.camel)
        for separator, start in (("-", new.kebab), ("_", new.module)):
            # A single word in small letters is too common to be a name.
            if separator in _spelled(old, separator):
                words[_spelled(old, separator)] = separator.join(filter(None, (start, _spelled(rest, separator))))
    if module:
        words |= {module.replace("_", "-"): new.kebab, module: new.like(module)}
    return words | dict(ids)


def replace_words(text: str, words: Mapping[str, str]) -> str:
    """Replace whole words, the longest first; letters, digits and underscores around them make another word.

    The last word of a type such as `AWS::SQS::Queue` stays, and so does the name of an AWS service. Beside a dash, a
    single word gives way to a name with dashes.
    """
    if not words:
        return text

    def replacement(match: re.Match[str]) -> str:
        beside = text[match.start() - 1 : match.start()] + text[match.end() : match.end() + 1]
        new = words[match[0]]
        return new.replace("_", "-") if "-" in beside and "_" not in match[0] else new

    choices = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    pattern = rf"(?<!\w){_BEFORE_SERVICE}(?!{_ACTION})(?:{choices})(?!\w|{_BEHIND_SERVICE})"
    return re.sub(pattern, replacement, text)


def _begins(name: str, prefix: str) -> bool:
    """Return whether a name in camel case begins with the words of another and goes on."""
    return len(prefix) < len(name) and name.startswith(prefix) and not name[len(prefix)].islower()


def _shared_prefix(name: str, others: list[str]) -> str:
    """Return the longest words in front that another name begins with too; empty when there is none."""
    parts = _CAMEL_WORD.findall(name)
    prefixes = ["".join(parts[:count]) for count in range(len(parts) - 1, 0, -1)]
    return next((prefix for prefix in prefixes if any(_begins(other, prefix) for other in others if other != name)), "")


def _spelled(logical_id: str, separator: str) -> str:
    return separator.join(word.lower() for word in _CAMEL_WORD.findall(logical_id))
