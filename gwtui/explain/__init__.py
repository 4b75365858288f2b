"""Which rule takes a request, and why the others do not, as pure functions of the objects.

- `request`, `asking`: a request in the words an operator types or pastes.
- `matching`: which requests two matches have in common; `fitting`: whether one request fits one match.
- `expressions`, `expression_syntax`: regular expressions as proxies read them; `paths`: paths as they do.
- `precedence`: the order in which the matches of a virtual host are tried.
- `virtual_hosts`: which rules meet in the same virtual host of a gateway.
- `entries`, `entrance`, `contest`, `effects`, `backends`, `walk`: the way of a request from the front door to where
  each part of it ends, over one `terrain`; what comes of it is a `course`.
- `loaded`: the same question, asked of the configuration a proxy holds; `agreement` puts both side by side.
- `examples`: a request to begin with.
"""
