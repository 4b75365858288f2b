"""Drains as pure data: what can be emptied, by which way, in which stages, and what speaks against it.

- `wish`: what the operator wants emptied, and how; `targets` reads it from a word.
- `needs`: the objects whose newest content a drawing needs.
- `drawing`: draws up a drain: `proxied` for one proxy, `weighted` for all else.
- `outline`: what a drain comes to: its steps, stages, ends and refusals.
- `undrawing`: draws up what takes one back.
- `found`: the gateways that are drained, as objects and journal tell.

Below `weighted`: `leading` follows references, `leaving` tells those to what is drained, `senders` finds the routes
that have them, `parts` how each of their rules is emptied (`ramp` the weights of it, `relief` failover groups),
`taking` who takes over, `attaching` (with `serving`) what has to be served there first, `drafts` collects the steps,
`ending` what must fall silent. `judging` weighs it, with `forbidding` and `fitness`.
"""
