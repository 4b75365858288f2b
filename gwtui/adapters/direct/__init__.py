"""Reaching proxies without a Kubernetes API server in between: on the pod's address, or at a configured URL.

Remit
    GET from an HTTP interface over kept-alive connections. What acts is sent with an approval alone.
Allowed imports
    The standard library, httptools, `gwtui.model`, `gwtui.changes.door`, `gwtui.ports`, `gwtui.errors`.
Entry points
    `access.DirectAccess`, `inventory.StaticInventory`.
"""
