"""The one door to every write: nothing is sent without an approval, and only this module makes one."""

from __future__ import annotations

from gwtui.changes.plan import AdminPost, ObjectEdit, Plan
from gwtui.errors import Refused
from gwtui.model.admin_posts import LOGGING, require_admin_post
from gwtui.model.ids import ObjectKey, ProxyKey


class Approval:
    """The right to carry out one plan. Whoever sends a write asks for it; `Door.approve` alone gives it."""

    __slots__ = ("plan",)

    def __init__(self, plan: Plan, key: object) -> None:
        if key is not _KEY:
            raise Refused("an approval is made at the door alone", "make a plan and confirm it")
        self.plan = plan

    def require_object(self, key: ObjectKey) -> None:
        """Pass when the plan writes this object.

        Raises:
            Refused: it does not.
        """
        if not any(isinstance(step, ObjectEdit) and step.key == key for step in self.plan.steps):
            raise Refused(f"plan {self.plan.id} does not write {key}", "make a plan that does, and confirm it")

    def require_post(self, proxy: ProxyKey, path: str) -> None:
        """Pass when the plan sends this POST to this proxy, or takes back with it what it sends.

        A plan that changes log levels may read them again: `LOGGING` without a query.

        Raises:
            Refused: it does not, or no proxy may be told that.
        """
        require_admin_post(path)
        posts = (step for step in self.plan.steps if isinstance(step, AdminPost) and step.proxy == proxy)
        sent = {each for step in posts for each in (step.path, step.reverse_path)}
        if path not in sent and not (path == LOGGING and any(each.startswith(f"{LOGGING}?") for each in sent)):
            raise Refused(
                f"plan {self.plan.id} does not send POST {path} to {proxy}", "make a plan that does, and confirm it"
            )


class Door:
    """Lets plans through, or not.

    Args:
        read_only: refuse everything.
    """

    def __init__(self, *, read_only: bool) -> None:
        self.read_only = read_only

    def approve(self, plan: Plan) -> Approval:
        """Return the approval of a plan that somebody confirmed.

        Raises:
            Refused: the console is read-only, or something forbids the plan.
        """
        if self.read_only:
            raise Refused("this console is read-only", "start it without --read-only to make changes")
        plan.require_allowed()
        return Approval(plan, _KEY)


def require_approval(approval: object) -> Approval:
    """Return what is an approval, for the edges that send: types are not looked at while the console runs.

    Raises:
        Refused: it is something else, or nothing.
    """
    if type(approval) is not Approval:
        raise Refused("nothing is written without an approved plan", "make a plan and confirm it")
    return approval


_KEY = object()
