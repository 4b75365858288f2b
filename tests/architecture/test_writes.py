"""Nothing but the door lets writes through: who may name an approval, and who can reach a system at all.

The lists below are the whole of it. A module that turns up here must have a reason to act on a system.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "gwtui"
TREES = {
    str(path.relative_to(PACKAGE)): ast.parse(path.read_text())
    for path in sorted(PACKAGE.rglob("*.py"))
    if PACKAGE / "playground" not in path.parents
}

DOOR = "gwtui.changes.door"
OPENS_THE_DOOR = {"engine/execution.py", "wiring/changes.py"}
"""Makes a `Door`, or asks one: the wiring with the choice of the command line, the executor with a confirmed plan."""
TAKES_APPROVALS = {
    "engine/conducting.py",
    "engine/execution.py",
    "engine/posting.py",
    "engine/restoring.py",
    "engine/writing.py",
    "ports.py",
    "adapters/kubernetes/permission.py",
    "adapters/kubernetes/transport.py",
    "adapters/kubernetes/writer.py",
    "adapters/kubernetes/pod_access.py",
    "adapters/direct/access.py",
    "adapters/envoy/admin.py",
    "adapters/envoy/log_levels.py",
}
CHECKS_APPROVALS = {
    "adapters/kubernetes/permission.py",
    "adapters/kubernetes/writer.py",
    "adapters/kubernetes/pod_access.py",
    "adapters/direct/access.py",
}

REACHES = {
    "aiohttp": {
        "adapters/kubernetes/failures.py",
        "adapters/kubernetes/lines.py",
        "adapters/kubernetes/portforward.py",
        "adapters/kubernetes/transport.py",
    },
    "kubernetes": {"adapters/kubernetes/transport.py"},
    "httpcore": {
        "adapters/envoy/scratch.py",  # sockets of a process of ours
        "adapters/kubernetes/pod_access.py",
        "adapters/kubernetes/portforward.py",
    },
    "httptools": {"adapters/direct/connection.py"},
    "httpx": set(),
    "requests": {"adapters/prometheus/failures.py", "adapters/prometheus/transport.py"},
    "urllib3": {"adapters/prometheus/transport.py"},
    "prometheus_api_client": {"adapters/prometheus/transport.py"},
    "socket": {"adapters/prometheus/transport.py"},
    "http.client": set(),
    "urllib.request": set(),
    "subprocess": {"external_editor.py"},  # the operator's own
}
"""By library that can reach another system: who imports it."""

CALLS = {
    "create_connection": {"adapters/direct/access.py"},
    "open_connection": set(),
    "open_unix_connection": set(),
    "create_subprocess_exec": {
        "adapters/envoy/scratch.py",  # an Envoy that reaches nobody
        "adapters/kubernetes/credentials.py",  # the plugin of a kubeconfig
    },
    "create_subprocess_shell": set(),
    "websocket": {"adapters/kubernetes/portforward.py"},
    "ws_connect": {"adapters/kubernetes/transport.py"},
    "PodBackend": {"adapters/kubernetes/pod_access.py"},
    "exchange": {
        "adapters/kubernetes/pod_access.py",
        "adapters/kubernetes/transport.py",
        "adapters/kubernetes/writer.py",
    },
}
"""By function that opens a way out or sends something: who calls it."""

METHODS = {
    "POST": {
        "adapters/direct/access.py",
        "adapters/kubernetes/cluster.py",  # reviews of ourselves
        "adapters/kubernetes/failures.py",  # the verb to grant
        "adapters/kubernetes/permission.py",
        "adapters/kubernetes/pod_access.py",
        "changes/limit_tables.py",  # what a route may match
        "explain/request.py",  # what curl sends by default, which nobody sends here
    },
    "PATCH": {"adapters/kubernetes/failures.py", "adapters/kubernetes/writer.py", "changes/limit_tables.py"},
    "PUT": {"adapters/kubernetes/failures.py", "changes/limit_tables.py", "explain/request.py"},
    "DELETE": {"adapters/kubernetes/failures.py", "changes/limit_tables.py"},
}
"""By HTTP method: who names it."""


@dataclass
class Module:
    """What stands in one module."""

    imports: set[tuple[str, str]] = field(default_factory=set)
    """Module and name; the name is empty where the module itself is imported."""
    calls: set[str] = field(default_factory=set)
    """The last name of what is called."""
    texts: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)


def read(tree: ast.AST) -> Module:
    found = Module()
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                found.imports |= {(alias.name, "") for alias in node.names}
            case ast.ImportFrom(module=str(module)):
                found.imports |= {(module, alias.name) for alias in node.names}
            case ast.Call(func=ast.Attribute(attr=name)) | ast.Call(func=ast.Name(id=name)):
                found.calls.add(name)
            case ast.Constant(value=str(text)):
                found.texts.add(text)
            case ast.Name(id=name):
                found.names.add(name)
            case ast.Attribute(attr=name):
                found.attributes.add(name)
    return found


MODULES = {where: read(tree) for where, tree in TREES.items()}


def importers(module: str, *names: str) -> set[str]:
    """Who imports a module whole, something below it, or one of these names from it (any when there are none)."""
    parent, _, last = module.rpartition(".")
    return {
        where
        for where, each in MODULES.items()
        for found, name in each.imports
        if (found == module and (not name or not names or name in names))
        or found.startswith(f"{module}.")
        or (parent and (found, name) == (parent, last))
    }


def callers(name: str) -> set[str]:
    return {where for where, each in MODULES.items() if name in each.calls}


def test_the_door_is_opened_in_two_places():
    assert importers(DOOR, "Door") == OPENS_THE_DOOR
    assert callers("Door") == {"wiring/changes.py"}
    assert callers("approve") == {"engine/execution.py"}


def test_approvals_are_made_at_the_door_and_passed_on_to_the_edges_that_send():
    assert importers(DOOR, "Approval") == TAKES_APPROVALS
    assert importers(DOOR, "require_approval") == CHECKS_APPROVALS
    assert callers("Approval") == {"changes/door.py"}
    assert importers(DOOR) == OPENS_THE_DOOR | TAKES_APPROVALS, "nothing else of the door is of use"


def test_an_approval_is_handed_over_by_name_where_it_is_kept():
    passing = {where for where, each in MODULES.items() if "approval" in each.names} - {"changes/door.py"}
    assert passing == TAKES_APPROVALS - {"ports.py"}


def test_only_the_known_edges_can_reach_another_system():
    assert {library: importers(library) for library in REACHES} == REACHES
    assert {name: callers(name) for name in CALLS} == CALLS


def test_only_the_known_edges_name_a_method_that_writes():
    assert {method: {where for where, each in MODULES.items() if method in each.texts} for method in METHODS} == METHODS


def test_the_session_of_the_api_server_stays_in_the_transport():
    holders = {where for where, each in MODULES.items() if "pool_manager" in each.attributes}
    assert holders == {"adapters/kubernetes/transport.py"}


def test_every_request_of_the_transport_but_watches_passes_the_permission():
    """The session sends in two places: an exchange, behind the permission, and a watch, which is a GET."""
    tree = TREES["adapters/kubernetes/transport.py"]
    sending = {}
    for function in ast.walk(tree):
        if not isinstance(function, ast.AsyncFunctionDef | ast.FunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "self._rest.request":
                sending[function.name] = ast.unparse(node.args[0])
    assert sending == {"exchange": "method", "stream_lines": "'GET'"}
    exchange = next(node for node in ast.walk(tree) if getattr(node, "name", "") == "exchange")
    first = next(node for node in exchange.body if not isinstance(node.value, ast.Constant))
    assert ast.unparse(first) == "require_permission(method, path, query, approval)"
