"""Gateway API objects in, Envoy configuration out, with the names, the order and the traps of kgateway 2.4.

Remit
    Pure functions over a `World`: which route attaches where, which rule comes first, what each rule becomes. The
    outcome has the shape kgateway sends over xDS; binding it to local files and ports is the fleet's business.
Allowed imports
    The standard library, `gwtui.playground.world`, `control_plane` and `mesh` beside it.
Entry points
    `gateway.translate` for the configuration of a Gateway's proxies; `attachment.attachments` and
    `rules.translate_rule` also tell `status` what to claim.
"""
