"""gwtui: operate Kubernetes gateways from a terminal.

The way of data
    `adapters` read a system and report observations; `engine` runs them and folds the observations into a snapshot with
    the pure `model`; `views` turn the snapshot into rows and cards; `tui` paints what changed.
The way back of intent
    A screen or a command edits a draft; `changes` make a plan of it; `engine` carries an approved plan out through an
    adapter, and the way of data proves it.
The packages, from the outside in
    `cli` and `wiring` start everything and are the only places that name concrete adapters. `tui` is the Textual shell.
    `adapters` hold one folder per system. `engine` is asyncio over the `ports`. `triage`, `views`,
    `changes`, `explain` and `model` are pure.
    `playground` is the living fleet of `gwtui demo`; the console knows nothing of it.
"""
