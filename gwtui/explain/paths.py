r"""Paths as proxies prepare them before they look for a route.

*Source:* Envoy 1.40, tried out: `normalize_path` decodes what need not be encoded, resolves dots, turns `\` into `/`
and encodes what a URL may not hold; `merge_slashes` comes after it. kgateway 2.0 to 2.4 asks for both.
"""

from __future__ import annotations

import re

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
_ENCODED = frozenset(' "<>^`{|}')
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_SLASHES = re.compile(r"//+")
_DOT = r"(?:\.|%2[eE])"
_UNSURE = re.compile(rf"%00|%(?![0-9A-Fa-f]{{2}})|[/\\]{_DOT}{{1,2}};")
_UNUSUAL = re.compile(r'//|/\.|[%\\ "<>^`{|}]')


def routed(path: str) -> str:
    """Return a path as routes see it: normalized, then without double slashes."""
    return merged(normalized(path)) if _UNUSUAL.search(path) else path


def is_unsure(path: str) -> bool:
    """Return whether a path is one that proxies refuse or read in ways of their own: half escapes, `..;`, `%00`."""
    return _UNSURE.search(path) is not None


def normalized(path: str) -> str:
    """Return a path as `normalize_path` leaves it."""
    decoded = _ESCAPE.sub(lambda found: _decoded(found[0]), path).replace("\\", "/")
    encoded = "".join(f"%{ord(letter):02X}" if letter in _ENCODED else letter for letter in decoded)
    kept: list[str] = []
    segments = encoded.split("/")[1:]
    for segment in segments:
        if segment == "..":
            if kept:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def merged(path: str) -> str:
    """Return a path as `merge_slashes` leaves it: one of slashes alone keeps the first and the last."""
    return _SLASHES.sub("/", path) if path.strip("/") else path[:2]


def _decoded(escape: str) -> str:
    letter = chr(int(escape[1:], 16))
    return letter if letter in _PLAIN else escape
