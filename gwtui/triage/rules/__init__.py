"""The rules, one per file. Each has an `ID` and `find`, which looks at everything and yields findings.

A rule yields None where it may be interrupted. It says what it sees now: since when, what came before and what explains
what is found out for all of them in `gwtui.triage.evaluation`.
"""
