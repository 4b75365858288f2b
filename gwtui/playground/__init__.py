"""A living fleet on loopback: real Envoys, real backends, real clients, a Kubernetes-compatible API and a controller.

Remit
    `launch` starts the playground as one child process; everything below that process dies with it. `session` is what
    the child runs: the API (`api`), the controller that plays kgateway (`controller`, `deployer`, `translation`,
    `status`), the proxies and the cloud load balancer (`fleet`), and two more processes for workloads (`backends`) and
    clients (`load`). `scenarios` holds the fleets as data.
Allowed imports
    The standard library, aiohttp, httpx, msgspec, PyYAML, the Envoy wheel and `gwtui.errors`. Nothing of the console.
Entry points
    `launch.launch` and `launch.scenario_names`; `python -m gwtui.playground` for the child by itself.
"""
