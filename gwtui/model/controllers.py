"""Controller names: what a GatewayClass names in `spec.controllerName`. The only thing a Gateway is identified by."""

from __future__ import annotations

KGATEWAY_CONTROLLER = "kgateway.dev/kgateway"
