"""The console: screens, keys and themes over a feed of snapshots.

Remit
    Turns the lines of `gwtui.views` into a terminal application. It holds view state alone (filter, selection, order);
    it builds no client, formats no unit and waits for no data in a key handler.
Allowed imports
    Textual, Rich, `gwtui.views`, `gwtui.model`, `gwtui.errors`. At import time of `app` nothing else, so that the first
    frame appears before anything heavy is loaded.
Entry points
    `app.GwtuiApp`, which takes a `feed.Feed`.
"""
