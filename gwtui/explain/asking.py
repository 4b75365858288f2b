"""A question as it is typed into one line: a request, and `--entry` where it is to come in by one gateway."""

from __future__ import annotations

from gwtui.errors import UsageError
from gwtui.explain.entries import Question
from gwtui.explain.request import request_of_words, words_in

_ENTRY = "--entry"


def question_of(text: str) -> Question:
    """Return the question a line stands for: `[METHOD] URL -H…`, a command line of curl, `--entry NS/GATEWAY` with it.

    Raises:
        UsageError: the line cannot be read; the message says why, the hint what to type.
    """
    words = words_in(text)
    entry: tuple[str, str] | None = None
    for position, word in enumerate(words):
        if word == _ENTRY or word.startswith(f"{_ENTRY}="):
            is_apart = word == _ENTRY
            value = words[position + 1] if is_apart and position + 1 < len(words) else word.partition("=")[2]
            entry = _named(value)
            words = [*words[:position], *words[position + (2 if is_apart else 1) :]]
            break
    return Question(request=request_of_words(words), entry=entry)


def _named(value: str) -> tuple[str, str]:
    namespace, slash, name = value.partition("/")
    if not (namespace and slash and name) or "/" in name:
        raise UsageError(f"{value or 'nothing'} does not name a gateway", "write --entry NAMESPACE/GATEWAY")
    return namespace, name
