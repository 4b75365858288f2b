"""What is shown: a snapshot becomes rows, cards and lines. Pure, and without any knowledge of a screen library.

Remit
    Plain data out: texts with a role (what they mean), never a colour and never markup. `text` is the only place that
    turns numbers, ages and unknowns into words; `judge` the only place that decides what counts as degraded or failing.
Allowed imports
    The standard library and `gwtui.model`. No clock: the current time is an argument.
Entry points
    `header.header`, `stage.stage`, `fleet_map.fleet_map` with `map_drawing.draw` and `map_tree.tree`, `proxies.table`,
    `workload_detail.workload_detail`, `sources.sources`; the package `proxy`: one in full.
"""
