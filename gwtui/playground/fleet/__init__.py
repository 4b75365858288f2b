"""The data plane of the playground: one real Envoy per proxy pod, and one that plays the cloud's load balancers.

Remit
    Ports, bootstrap, configuration files, processes and their restarts. What the proxies are told comes from
    `translation`; what is told about them goes to pod status through callbacks.
Allowed imports
    The standard library, aiohttp and `gwtui.playground`'s world, deployer constants and translation results.
Entry points
    `proxies.Proxies` (pods) and `cloud.Cloud` (entry points).
"""
