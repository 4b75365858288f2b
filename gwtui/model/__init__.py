"""What exists: plain immutable data and the pure functions that combine it.

Remit
    Identities, observed values with their time, Kubernetes and Gateway API objects, proxies and their traffic, the
    topology, and the snapshot that holds all of it at one revision.
Allowed imports
    The standard library and msgspec. No I/O, no clock, no Textual, no Rich, no network library.
Entry points
    `reduction.reduce` turns a snapshot and an observation into the next snapshot; `topology.relate` turns objects into
    gateways, tiers and hops; `traffic.measure` turns two samples of a proxy into rates.
"""
