"""Istio: which of its kinds are read."""
