"""The named routes of the portal's own pages, and those that give no page; tests that look at every page start here."""

from collections.abc import Iterator

from django.urls import URLResolver, get_resolver

ACTS = frozenset(  # only posted to
    {
        *("access:directory-group-remove", "access:directory-move", "access:directory-remove"),
        *("access:directory-test", "access:directory-test-new"),
        *("access:address-remove", "access:grant-remove", "access:role-remove", "access:token-remove"),
        *("access:lockout-release", "access:second-factor-reset", "access:user-release"),
        *("access:member-remove", "access:team-remove"),
        *("access:user-remove", "accounts:language", "accounts:logout", "accounts:session-end"),
        *(
            "accounts:sessions-end-all",
            "accounts:sessions-end-others",
            "alerts:assign",
            "alerts:forget-farewell",
            "alerts:test-subscription",
            "audit:verify",
            "components:bulk",
        ),
        *("control:settings-apply", "control:settings-read"),
        *(
            "components:check",
            "components:credential-remove",
            "components:join",
            "components:split",
            "components:manage",
        ),
        *("components:refresh", "components:resume", "definitions:apply", "definitions:enabled"),
        *("definitions:remove", "definitions:restore", "definitions:settle", "groups:remove", "jobs:cancel"),
        *(
            "monitoring:include-again",
            "monitoring:set-excluded",
            "portal:bundle-order",
            "portal:restart",
            "portal:set-ports",
            "portal:try-port",
            "settings:reset",
            "suspend_periods:end",
        ),
        *("remote_batches:leave-out", "remote_batches:pause", "remote_batches:preview", "remote_batches:remove"),
        *("remote_batches:resume", "remote_batches:take-back"),
        *("suspend_periods:leave-out", "suspend_periods:preview", "suspend_periods:remove"),
        *("suspend_periods:switch", "suspend_periods:take-back", "tls:renew", "tls:request-remove"),
    }
)
DATA = frozenset(  # files, what charts are drawn from, and what programs ask for
    {
        *("alerts:export", "audit:export", "definitions:export", "monitoring:chart", "monitoring:chart-file"),
        *("monitoring:component-chart", "monitoring:component-chart-file", "monitoring:fleet-chart"),
        *(
            "monitoring:component-inventory-changes-file",
            "monitoring:event-log-file",
            "monitoring:fleet-chart-file",
            "monitoring:inventory-changes-file",
            "portal:bundle",
            "portal:capacity-history",
            "portal:style-guide-series",
        ),
        *("accounts:session", "core:stream", "system:healthz", "system:metrics", "system:readyz"),
        *("control:console-attach", "control:console-transcript", "control:own-page"),
        *("tls:authority-der", "tls:authority-pem", "tls:request"),
    }
)
OF_DEVICES = frozenset({"components:certificate"})  # asks a controller, which the portal of the browser tests has not
PARTS = frozenset(  # fetched by pages
    {"alerts:alert-news", "alerts:incident-news", "audit:chain", "portal:bundles", "portal:pulse"}
)
BEFORE_SIGN_IN = frozenset({"accounts:code", "accounts:login", "accounts:old-login"})  # who has signed in is led on


def routes() -> Iterator[tuple[str, set[str]]]:
    """Give the name of every route with its namespace, and its parameters."""
    for resolver in get_resolver("esm.urls").url_patterns:
        if isinstance(resolver, URLResolver) and resolver.namespace:
            for included in resolver.url_patterns:
                yield f"{resolver.namespace}:{included.name}", set(included.pattern.converters)
