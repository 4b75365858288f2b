"""The names of the gRPC service that workloads offer and clients call.

*Source:* `grpcecho.proto` of the conformance suite of Gateway API 1.6.
"""

from __future__ import annotations

SERVICE = "gateway_api_conformance.echo_basic.grpcecho.GrpcEcho"
ECHO = f"/{SERVICE}/Echo"
STREAM = f"/{SERVICE}/EchoStream"
"""Not of the suite: the answer to Echo once a second, for as many seconds as the metadata says."""
SECONDS = "seconds"
"""Metadata of a stream: how long it lasts, in seconds."""
