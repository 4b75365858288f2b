"""Which route a proxy takes a request by, as told by the configuration it has loaded.

Remit
    Read listeners and route configurations as a proxy writes them, and go the way of a request through them: filter
    chain, virtual host, route, action. Where the configuration alone does not decide, the answer says so: it is never a
    guess.
Allowed imports
    The standard library, `gwtui.explain`, `gwtui.model`.
Entry points
    `lookup.loaded_route` answers; `answers` has the words of the answer; `lookup.in_force` picks the bodies.

*Source:* Envoy 1.35 to 1.40, each rule tried on a running 1.40 (`bench/matching.py`).
"""
