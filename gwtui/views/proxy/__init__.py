"""One proxy in full: one file per tab, each from a scene and what a page of the proxy said to a `page.Page`.

Remit
    Everything the detail of a proxy says. A page that could not be read says why and what to try; a value that is old
    says how old.
Entry points
    `traffic.traffic`, `listeners.listeners`, `routes.routes`, `upstreams.upstreams`, `certificates.certificates`,
    `config.resources`, `config.resource`, `config.compared`, `statistics.statistics`, `about.about`, and `tabs.TABS`.
"""
