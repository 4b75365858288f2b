"""A Kubernetes-compatible API on loopback that holds the playground's objects.

Remit: the part of the Kubernetes API that operators, kubectl and the console use on gateways: versioned objects, lists,
watches, four kinds of patch, server-side apply, discovery, tables, access rules, port-forward and pod proxy. It is an
emulation and says so in `/version`. Left out: rules written in CEL (`route_rules` has the most telling ones), most
protobuf bodies, scale subresources, pod logs and exec.

Entry points: `store.Store` (the objects, used in-process by the playground's controller) and `server.serve` (the
same objects over HTTPS). Imports nothing of gwtui except `gwtui.errors`.
"""
