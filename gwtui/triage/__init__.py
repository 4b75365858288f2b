"""What is wrong right now: findings, each a sentence with its evidence, ranked, causes before their symptoms.

Pure. Above `gwtui.views`, whose thresholds, figures and words it shares; below the engine and the console. Entry
points:
`evaluation.evaluate` (a scene to a report), `registry.RULES` (what is looked for), `document` and `table` (a report as
data and as rows).
"""
