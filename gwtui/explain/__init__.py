"""Which rule takes a request, and why the others do not, as pure functions of the objects.

- `matching`: which requests two matches have in common.
- `precedence`: the order in which the matches of a virtual host are tried.
- `virtual_hosts`: which rules meet in the same virtual host of a gateway.
"""
