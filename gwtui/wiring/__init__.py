"""Puts the parts together: the only place that names concrete adapters.

Entry points
    `console.run`, `batch.snapshot`, `batch.draw_map`, `doctor.run` and `demo.run` carry out one command each and
    return its exit code.
    `session.Session` is what they share: the clusters of one run and the engine that watches them.
"""
