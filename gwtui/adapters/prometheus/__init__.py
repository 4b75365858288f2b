"""Reading a Prometheus-compatible API: the raw samples of many proxies with a few questions.

Remit
    Which questions to ask, and how raw samples become the same `ProxySample`s that a direct reader makes, so that the
    same pure code computes rates, resets, quantiles and unknowns. Prometheus computes none of them: `rate()`
    extrapolates, and cannot say why a figure is not known.
Allowed imports
    The standard library, msgspec, prometheus-api-client with requests below it, `gwtui.model`, `gwtui.ports` and
    `gwtui.errors`. `transport` and `failures` import requests: only `client` imports them, in a thread, with the first
    question.
Entry points
    `client.QueryClient` asks one server; `source.PrometheusSource` is the `Source` of one cluster.
"""
