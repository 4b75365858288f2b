"""Loopback ports that stay ours across restarts of whoever listens on them."""

from __future__ import annotations

import socket

LOOPBACK = "127.0.0.1"


class PortLease:
    """A free port, held by a socket that is bound but never listens.

    The kernel hands connections only to listening sockets, and the port to nobody else but sockets that ask for
    SO_REUSEPORT, as Envoy's listeners do. So Envoy may come and go while the port remains reserved.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind((LOOPBACK, 0))
        self.port: int = self._socket.getsockname()[1]

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()
