"""Relations between live objects, one small pure function each; `topology.relate` puts them together.

Remit
    Who runs a Gateway, which Services and Pods are its own, which routes are attached, where backendRefs lead, tiers,
    front doors, deployment patterns, and what is wrong with any of it. Half-made objects give problems, never errors.
Allowed imports
    The model alone.
"""
