"""Reading Envoy proxies: one narrow filtered answer per sample, decoded into the model.

Remit
    Which paths to ask, how to read the answers, and which way in to use for each proxy.
Allowed imports
    The standard library, msgspec, `gwtui.model`, `gwtui.ports` and `gwtui.errors`.
Entry points
    `reader.EnvoyReader` is the `ProxyReader`.
"""
