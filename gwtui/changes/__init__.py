"""Writes as pure data: what is wished, what it moves, what forbids it, and how it is taken back.

Nothing here talks to anybody. `engine.planning` reads what a plan needs, `engine.execution` carries one out.

- `documents`, `defaults`, `limits`: an object as the API has it, what it fills in, and what it forbids.
- `drafting`, `edits`, `request_edits`: a route taken apart for an editor, and the ways to change it.
- `differences`, `alignment`, `merging`: what differs, as a patch as well; what undo does with foreign edits.
- `projection`, `blast`, `shadowing`, `weighing`: the topology afterwards, what moves, what it shadows, what to weigh.
- `refusals`, `rights`: which known traps it would fall into, and what we may do.
- `log_levels`, `leasing`: another log level of a proxy for a while, and how long a change may be kept.
- `loaded`: whether a proxy holds what was written.
- `drains`: what can be emptied, by which way, in which stages.
- `plan`, `journal`, `door`: the change as it is reviewed, as it is remembered, and the one place that lets it through.
"""
