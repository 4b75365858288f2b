"""Runs the sources and keeps the snapshot current, beside the console and not inside it.

Remit
    Supervision, the scrape loop, the store that folds observations. Works on ports alone.
Allowed imports
    asyncio, `gwtui.model`, `gwtui.ports`, `gwtui.errors`. No network library, no Textual.
Entry points
    `store.Store`, `supervisor.supervise`, `scrape.Scraper`.
"""
