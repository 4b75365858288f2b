"""Envoy proxies: one narrow filtered answer per sample, decoded into the model, and what they are told to do.

Remit
    Which paths to ask, how to read the answers, and which way in to use for each proxy.
Allowed imports
    The standard library, msgspec, httpcore, `gwtui.model`, `gwtui.explain`, `gwtui.changes.door`, `gwtui.ports`,
    `gwtui.errors` and `gwtui.collector`.
Entry points
    `reader.EnvoyReader` is the `ProxyReader`, `inspector.EnvoyInspector` the `ProxyInspector`,
    `admin.EnvoyAdmin` the `ProxyAdmin`: what is sent with an approval alone. `oracle.prove` asks an Envoy of our own
    which route takes a request.
"""
