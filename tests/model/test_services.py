"""Subscriptions to configuration: which refuse updates, and since when, as far as two samples tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gwtui.model.samples import ProxySample, ServiceSample
from gwtui.model.services import Service, Services, follow_services, refusing

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ROUTES = "rds.listener~8080"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def sample(at_s: float, uptime_s: int | None = None, **services: tuple[int, int | None]) -> ProxySample:
    """`name=(rejected, accepted)`."""
    return ProxySample(
        taken_mono=at_s,
        taken_at=at(at_s),
        requests=0,
        errors_5xx=0,
        errors_4xx=0,
        active=0,
        uptime_s=100 + int(at_s) if uptime_s is None else uptime_s,
        latency=None,
        services={name: ServiceSample(rejected=no, accepted=yes) for name, (no, yes) in services.items()},
    )


def followed(*samples: ProxySample) -> Services:
    known: Services = {}
    for last, newest in zip((None, *samples), samples, strict=False):
        known = follow_services(known, last, newest)
    return known


def since(*samples: ProxySample) -> dict[str, datetime]:
    return dict(refusing(followed(*samples)))


def test_a_counter_that_was_high_before_we_looked_tells_nothing_of_the_present() -> None:
    assert since(sample(0, lds=(4, 9)), sample(2, lds=(4, 9))) == {}


def test_it_refuses_from_when_the_counter_was_first_seen_higher() -> None:
    assert since(sample(0, lds=(4, 9)), sample(2, lds=(5, 9)), sample(4, lds=(6, 9))) == {"lds": at(2)}


def test_an_update_taken_by_another_subscription_ends_nothing() -> None:
    routes = {ROUTES: (1, 3)}
    before = (sample(0, cds=(0, 1), **{ROUTES: (0, 3)}), sample(2, cds=(0, 1), **routes))
    assert since(*before, sample(4, cds=(0, 2), **routes)) == {ROUTES: at(2)}
    assert since(*before, sample(4, cds=(0, 1), **{ROUTES: (1, 4)})) == {}


def test_one_that_never_took_any_refuses_although_nobody_saw_it_begin() -> None:
    assert since(sample(0, lds=(1, 0)), sample(2, lds=(1, 0))) == {"lds": at(0)}


def test_refused_and_taken_between_two_samples_counts_as_refusing_until_the_next_is_taken() -> None:
    both = (sample(0, lds=(0, 1)), sample(2, lds=(1, 2)))
    assert since(*both) == {"lds": at(2)}
    assert since(*both, sample(4, lds=(1, 3))) == {}


def test_a_restart_and_a_subscription_that_was_made_anew_end_it() -> None:
    refused = (sample(0, lds=(4, 9)), sample(2, lds=(5, 9)))
    assert since(*refused, sample(4, 1, lds=(5, 9))) == {}
    assert since(*refused, sample(4, lds=(1, 9))) == {}
    assert since(*refused, sample(4)) == {}


def test_endpoints_of_a_cluster_are_first_told_when_they_are_refused() -> None:
    name = "eds.kube_shop_cart_8080"
    calm, first = sample(0, lds=(0, 1)), sample(2, lds=(0, 1), **{name: (1, None)})
    assert since(calm, first, sample(4, lds=(0, 1), **{name: (1, 7)})) == {name: at(2)}
    assert since(calm, first, sample(4, lds=(0, 1), **{name: (1, 7)}), sample(6, **{name: (1, 8)})) == {}
    assert since(calm, first, sample(4, **{name: (1, None)})) == {}, "nobody tells whether it took one since"


def test_prometheus_writes_the_same_name_otherwise() -> None:
    raw, text = {ROUTES: (4, 3)}, {"rds.listener_8080": (4, 3)}
    assert since(sample(0, **raw), sample(2, **text)) == {}
    assert since(sample(0, **{ROUTES: (3, 3)}), sample(2, **raw), sample(4, **text)) == {"rds.listener_8080": at(2)}


def test_what_did_not_change_stays_the_same_object() -> None:
    first = sample(0, lds=(4, 9))
    known = followed(first)
    assert known == {"lds": Service(rejected=4, accepted=9)}
    assert follow_services(known, first, sample(2, lds=(4, 9))) is known
    assert not known["lds"].is_stale
