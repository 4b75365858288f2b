"""Kubernetes as a source: contexts, list-then-watch per kind, and the ways into a pod through the API server.

Remit
    Opens one kubeconfig context, reads kinds with bounded cost, reports the health of each read, and reaches the HTTP
    interfaces of proxies by pod proxy and by port-forward. Nothing here writes to the cluster; the transport can.
Allowed imports
    The standard library, msgspec, aiohttp, httpcore, yaml, `gwtui.model`, `gwtui.ports`, `gwtui.errors`. The Kubernetes
    client is imported by `transport` alone, late and in a thread: importing it takes half a second.
Entry points
    `kubeconfig.load_kubeconfig`, `cluster.KubernetesCluster`, `pod_access.PodProxy`, `pod_access.PortForward`.
"""
