"""What there is to say of a Gateway: what is wrong with it, and what could not be looked at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from gwtui.model.relations.inventory import Inventory


class Unseen(NamedTuple):
    """Something that is referred to and is not read, there or anywhere: it may exist or not."""

    text: str


Remark = str | Unseen
"""A problem of the cluster, or the limit of what we see."""


def about(subject: str, remark: Remark) -> Remark:
    """Return a remark with what it is about put before it."""
    text = f"{subject}: {text_of(remark)}"
    return Unseen(text) if isinstance(remark, Unseen) else text


def text_of(remark: Remark) -> str:
    """Return a remark in words."""
    return remark.text if isinstance(remark, Unseen) else remark


def absence(inventory: Inventory, resource: str, namespace: str, what: str) -> Remark | None:
    """Return what to say of an object that is referred to and was not found.

    Nothing where its kind was not read at all: the source of the kind says so, once.

    Args:
        inventory: The cluster.
        resource: Kind of the object.
        namespace: Where it would be; empty for kinds without namespaces.
        what: The object in words.
    """
    if inventory.was_read_in(resource, namespace):
        return f"{what} does not exist"
    return Unseen(f"{what} {unseen_in(resource, namespace)}") if inventory.was_read(resource) else None


def unseen_in(resource: str, namespace: str) -> str:
    """Return why something cannot be found: `cannot be seen: services of namespace foo are not read`."""
    return f"cannot be seen: {resource.partition('.')[0]} of namespace {namespace} are not read"


def unknown_kind(what: str, group: str) -> Unseen:
    """Return what to say of an object of a kind this console does not know.

    Args:
        what: The object in words.
        group: Its API group; empty for the core group.
    """
    return Unseen(f"{what} cannot be seen: its kind ({group or 'core'}) is not read")


def problems_among(remarks: Iterable[Remark]) -> tuple[str, ...]:
    """Return the problems, each once, sorted."""
    return tuple(sorted({remark for remark in remarks if isinstance(remark, str)}))


def unseen_among(remarks: Iterable[Remark]) -> tuple[str, ...]:
    """Return the limits of what we see, each once, sorted."""
    return tuple(sorted({remark.text for remark in remarks if isinstance(remark, Unseen)}))
