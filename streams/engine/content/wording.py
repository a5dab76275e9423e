"""Words that must not stand in a text, and words that must.

Compared are texts as a reader takes them: compatibility forms, letter case and other characters for
the same are made one, spaces and signs between characters are left out.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from streams.contract.content import BannedWords, RequiredWords, Words
from streams.engine.content.slots import Problem, without_slots

_ENDS: Final = "。!?;\n"  # after NFKC, which makes full-width signs ASCII
_GAP: Final = ".{0,8}"


class _Banned(NamedTuple):
    rule: BannedWords
    pattern: re.Pattern[str]
    allowed: tuple[str, ...]
    told: dict[str, str]  # a word as compared -> as the list has it


class _Required(NamedTuple):
    rule: RequiredWords
    any_of: tuple[str, ...]
    when: tuple[str, ...]


class WordList:
    """The words of a library, prepared once."""

    def __init__(self, words: Words) -> None:
        self._variants = words.variants
        self._banned = [self._ban(rule) for rule in words.banned]
        self._required = [
            _Required(rule, self._all(rule.any_of), self._all(rule.when)) for rule in words.required
        ]

    def banned(self, text: str, category: str) -> list[Problem]:
        plain = plain_text(without_slots(text), self._variants)
        return [
            problem
            for one in self._banned
            if not one.rule.categories or category in one.rule.categories
            for problem in _banned_by(one, plain)
        ]

    def missing(self, text: str, kind: str, category: str) -> list[Problem]:
        """Required words that do not stand in the text. {ad.label} stands for 广告, for no ad of
        the library has another label."""
        spoken = text.replace("{ad.label}", "广告")
        plain = plain_text(without_slots(spoken), self._variants)
        return [
            Problem(
                "REQUIRED_WORD",
                f"none of {'、'.join(one.rule.any_of)} stands in it: {one.rule.why}",
                f"add one of them ({one.rule.source})",
            )
            for one in self._required
            if _applies(one, plain, kind, category)
            and not any(word in plain for word in one.any_of)
        ]

    def _ban(self, rule: BannedWords) -> _Banned:
        patterns = [
            _GAP.join(re.escape(plain_text(piece, self._variants)) for piece in word.split("*"))
            for word in rule.words
        ]
        # The longest first: 史上最低 is told rather than 最低.
        longest = sorted(patterns, key=len, reverse=True)
        return _Banned(
            rule,
            re.compile("|".join(longest), re.DOTALL),
            self._all(rule.allowed),
            {plain_text(word, self._variants): word for word in rule.words},
        )

    def _all(self, words: Sequence[str]) -> tuple[str, ...]:
        return tuple(plain_text(word, self._variants) for word in words)


def plain_text(text: str, variants: Mapping[str, str]) -> str:
    """The text as it is compared; the ends of sentences stay, as 。."""
    made = []
    folded = unicodedata.normalize("NFKC", text).casefold()
    for mark in folded:
        if mark.isalnum() or mark == "%":  # 100% is forbidden, 100 is not
            made.append(variants.get(mark, mark))
        elif mark in _ENDS and made and made[-1] != "。":
            made.append("。")
    return "".join(made)


def _banned_by(one: _Banned, plain: str) -> list[Problem]:
    for phrase in one.allowed:
        plain = plain.replace(phrase, "。")
    found = sorted({match.group() for match in one.pattern.finditer(plain)})
    return [
        Problem(
            one.rule.code,
            f"{one.told.get(word, word)}: {one.rule.why}",
            f"say it without ({one.rule.source})",
        )
        for word in found
    ]


def _applies(one: _Required, plain: str, kind: str, category: str) -> bool:
    rule = one.rule
    if rule.kinds and kind not in rule.kinds:
        return False
    if rule.categories and category not in rule.categories:
        return False
    return not one.when or any(word in plain for word in one.when)
