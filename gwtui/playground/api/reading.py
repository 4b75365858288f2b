"""Get, list with paging, and the forms an answer can take."""

from __future__ import annotations

import base64
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

import msgspec

from gwtui.playground.api import status, tables
from gwtui.playground.api.kinds import Kind
from gwtui.playground.api.request import number
from gwtui.playground.api.selectors import selected
from gwtui.playground.api.status import Json
from gwtui.playground.api.store import Store

_KEPT_LISTS = 32
_TOKEN_LIFETIME_S = 300.0


@dataclass(frozen=True, slots=True)
class _Page:
    objects: list[Json]
    version: int
    started_mono: float


class Lister:
    """Lists; the rest of a paged list is kept for five minutes, as it was when the first page was read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rest: OrderedDict[str, _Page] = OrderedDict()
        self._count = 0

    def list(self, kind: Kind, namespace: str | None, query: Mapping[str, str]) -> tuple[list[Json], Json]:
        """Objects and list metadata.

        Raises:
            ApiError: 400 for an unreadable token or selector, 410 for a token that is too old, 422 for a version that
                is to be matched and absent, 504 for one that is yet to come.
        """
        chosen = selected(kind, query.get("labelSelector", ""), query.get("fieldSelector", ""))
        self._check_version(query)
        page, start = self._page(kind, namespace, query.get("continue", ""))
        limit = number(query, "limit")
        found = (obj for obj in islice(page.objects, start, None) if chosen is None or chosen(obj))
        objects = list(islice(found, limit)) if limit else list(found)
        metadata: Json = {"resourceVersion": str(page.version)}
        at = start
        if limit and len(objects) == limit:
            last = objects[-1]
            at = next(i for i in range(start, len(page.objects)) if page.objects[i] is last) + 1
        if limit and next(found, None) is not None:
            metadata["continue"] = self._token(page, at)
            if chosen is None:
                metadata["remainingItemCount"] = len(page.objects) - at
        return objects, metadata

    def _check_version(self, query: Mapping[str, str]) -> None:
        version = number(query, "resourceVersion")
        if query.get("continue") and query.get("resourceVersion", "0") not in {"", "0"}:
            raise status.bad_request("specifying resource version is not allowed when using continue")
        if query.get("sendInitialEvents"):
            text = "Forbidden: sendInitialEvents is forbidden for list"
            raise status.invalid_options("ListOptions", "sendInitialEvents", "FieldValueForbidden", text)
        if query.get("resourceVersionMatch") and not query.get("resourceVersion"):
            text = "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
            raise status.invalid_options("ListOptions", "resourceVersionMatch", "FieldValueForbidden", text)
        if version > self._store.version:
            text = f"Too large resource version: {version}, current: {self._store.version}"
            cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
            raise status.ApiError(504, "Timeout", text, {"causes": [cause], "retryAfterSeconds": 1})

    def _page(self, kind: Kind, namespace: str | None, token: str) -> tuple[_Page, int]:
        if not token:
            return _Page(self._store.scan(kind.resource, namespace), self._store.version, time.monotonic()), 0
        try:
            key, at = msgspec.json.decode(base64.urlsafe_b64decode(token), type=tuple[str, int])
        except (msgspec.DecodeError, ValueError) as error:
            raise status.bad_request("continue key is not valid") from error
        page = self._rest.get(key)
        if (
            page is None
            or page.version < self._store.oldest_version
            or time.monotonic() - page.started_mono > _TOKEN_LIFETIME_S
        ):
            raise status.expired("The provided continue parameter is too old; start the list again without it")
        return page, at

    def _token(self, page: _Page, at: int) -> str:
        key = next((key for key, kept in self._rest.items() if kept is page), "")
        if not key:
            self._count += 1
            key = f"{page.version}.{self._count}"
            self._rest[key] = page
            if len(self._rest) > _KEPT_LISTS:
                self._rest.popitem(last=False)
        return base64.urlsafe_b64encode(msgspec.json.encode((key, at))).decode()


def one(kind: Kind, version: str, obj: Json, form: str, include: str = "") -> Json:
    """One object in the form the client asked for."""
    if form == "Table":
        metadata = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
        return tables.table(kind, [obj], metadata, include)
    if form.startswith("PartialObjectMetadata"):
        return tables.partial(obj)
    return in_version(kind, version, obj)


def many(kind: Kind, version: str, objects: list[Json], metadata: Json, *, form: str, include: str = "") -> Json:
    """A list in the form the client asked for; items of built-in kinds go without their type, as upstream."""
    if form == "Table":
        return tables.table(kind, objects, metadata, include)
    if form.startswith("PartialObjectMetadata"):
        return tables.partial_list(objects, metadata)
    if kind.custom:
        items = [in_version(kind, version, obj) for obj in objects]
    else:
        items = [{key: value for key, value in obj.items() if key not in {"apiVersion", "kind"}} for obj in objects]
    return {
        "apiVersion": kind.api_version(version),
        "kind": f"{kind.kind}List",
        "metadata": metadata,
        "items": items,
    }


def in_version(kind: Kind, version: str, obj: Json) -> Json:
    """The object as the served version shows it; versions here differ in name only."""
    return obj if version == kind.versions[0] else obj | {"apiVersion": kind.api_version(version)}
