"""Filters of HTTPRoutes and GRPCRoutes: what is done to a request, or to copies of it, on its way."""

from __future__ import annotations

from msgspec import Struct


class MirrorTarget(Struct, rename="camel", frozen=True, gc=False):
    """Where copies go: a backendRef without a weight."""

    name: str
    group: str = ""
    kind: str = "Service"
    namespace: str = ""
    port: int = 0


class Fraction(Struct, rename="camel", frozen=True, gc=False):
    """A part of all requests."""

    numerator: int
    denominator: int = 100


class RequestMirror(Struct, rename="camel", frozen=True, gc=False):
    """Copies of requests. Neither `percent` nor `fraction` means all of them."""

    backend_ref: MirrorTarget
    percent: int | None = None
    fraction: Fraction | None = None


class PathModifier(Struct, rename="camel", frozen=True, gc=False):
    """The new path of a redirect or a rewrite, as `type` says."""

    type: str = ""
    """`ReplaceFullPath` or `ReplacePrefixMatch`."""
    replace_full_path: str = ""
    replace_prefix_match: str = ""

    @property
    def value(self) -> str:
        """What is put in place."""
        return self.replace_prefix_match if self.type == "ReplacePrefixMatch" else self.replace_full_path


class RequestRedirect(Struct, rename="camel", frozen=True, gc=False):
    """Empty and 0 keep what the request has."""

    scheme: str = ""
    hostname: str = ""
    port: int = 0
    status_code: int = 302
    path: PathModifier | None = None


class UrlRewrite(Struct, rename="camel", frozen=True, gc=False):
    """What the backend gets to see instead of what was asked for."""

    hostname: str = ""
    """Empty keeps the host of the request."""
    path: PathModifier | None = None


class HeaderValue(Struct, rename="camel", frozen=True, gc=False):
    """One header with its value."""

    name: str
    value: str = ""


class HeaderModifier(Struct, rename="camel", frozen=True, gc=False):
    """Changes of request or response headers."""

    set: tuple[HeaderValue, ...] = ()
    add: tuple[HeaderValue, ...] = ()
    remove: tuple[str, ...] = ()


class Cors(Struct, rename="camel", frozen=True, gc=False):
    """What other origins may ask for."""

    allow_origins: tuple[str, ...] = ()
    allow_methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    allow_credentials: bool = False
    max_age: int = 5
    """Seconds."""


class ExtensionRef(Struct, rename="camel", frozen=True, gc=False):
    """A filter of the implementation's own, in the namespace of the route."""

    group: str
    kind: str
    name: str


class Filter(Struct, rename="camel", frozen=True, gc=False):
    """A route filter: the field that `type` names is there. Of experimental types the type alone is decoded."""

    type: str
    request_mirror: RequestMirror | None = None
    request_redirect: RequestRedirect | None = None
    extension_ref: ExtensionRef | None = None
    request_header_modifier: HeaderModifier | None = None
    response_header_modifier: HeaderModifier | None = None
    url_rewrite: UrlRewrite | None = None
    cors: Cors | None = None


class GrpcFilter(Struct, rename="camel", frozen=True, gc=False):
    """The same for a GRPCRoute, which can neither redirect nor rewrite."""

    type: str
    request_mirror: RequestMirror | None = None
    extension_ref: ExtensionRef | None = None
    request_header_modifier: HeaderModifier | None = None
    response_header_modifier: HeaderModifier | None = None
