"""Kubernetes: contexts, list-then-watch per kind, single objects, and the ways into a pod through the API server.

Remit
    Opens one kubeconfig context, reads kinds with bounded cost, reports the health of each read, and reaches the HTTP
    interfaces of proxies by pod proxy and by port-forward. Writes need an approval: `permission` for requests to the
    API server, `pod_access.PortForward.post` for what a proxy is told.
Allowed imports
    The standard library, msgspec, aiohttp, httpcore, yaml, `gwtui.model`, `gwtui.changes`, `gwtui.ports`,
    `gwtui.errors`. The Kubernetes client is imported by `transport` alone, late and in a thread: importing it takes
    half a second.
Entry points
    `kubeconfig.load_kubeconfig`, `cluster.KubernetesCluster`, `writer.KubernetesWriter`, `pod_access.PodProxy`,
    `pod_access.PortForward`.
"""
