"""Who gets what from which address: the one table that the contract test reads.

A line names a route and says for each method that it takes who may, and what those get: ``GET seen 200``; or it is
the name of a family. Who may is a word of ``RULES``, or four answers of its own: ``GET 403/404/200/200 -``, and a
fifth for those who are not signed in. Methods that a line leaves out are refused to everybody. Nobody signed in, an
expired token and one that may only read need no word: the API answers 401 and, to what writes, 403; pages send to the
sign-in page and do not look at tokens. ``open`` is for those few that do not ask who it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass

ASKERS = ("viewer", "stranger", "operator", "administrator")
"""The viewer and the operator of one half, an operator of the other half, and the administrator of everything."""
EVERYBODY = (*ASKERS, "nobody", "read-only token", "expired token")

RULES = {
    #                  viewer   stranger operator administrator
    "everybody":       ("=",    "=",     "=",     "="),  # lists show what one sees; nothing is said of anything else
    "seen":            ("=",    "404",   "=",     "="),  # one row of a half
    "acted":           ("403",  "404",   "=",     "="),  # done to a row of a half by its operators
    "changed":         ("403",  "404",   "403",   "="),  # done to a row of a half by those who administer it
    "somewhere":       ("403",  "=",     "=",     "="),  # needs the right in any group
    "chief":           ("403",  "403",   "403",   "="),  # belongs to the whole portal
    "own":             ("404",  "404",   "404",   "="),  # belongs to one user, here the administrator
    "nobody":          ("=",    "=",     "=",     "="),  # refused to all of them
}  # fmt: skip


FAMILIES = {
    # of the API
    "of the whole": "GET chief 200 · POST chief 400",
    "one of the whole": "GET chief 200 · PATCH chief 200 · DELETE chief 204",
    "list": "GET everybody 200",
    "part of one": "GET seen 200",
    # of pages
    "page": "GET everybody 200",
    "page of one": "GET seen 200",
    "page of the whole": "GET chief 200",
    "form of the whole": "GET chief 200 · POST chief 400",
    "form of a chief": "GET changed 200 · POST changed 400",
    "act on the whole": "POST chief 302",
    "act on one": "POST acted 302",
    "act of a chief": "POST changed 302",
}
"""What several addresses have in common, by a name that stands in the place of a line."""

API = {
    "address-detail": "one of the whole",
    "address-list": "of the whole",
    "alert-definition-apply": "POST chief 202",
    "alert-definition-detail": "GET everybody 200 · PATCH chief 200 · DELETE chief 409",  # it came with the portal
    "alert-definition-export": "list",
    "alert-definition-import": "POST chief 400",
    "alert-definition-list": "GET everybody 200 · POST chief 400",
    "alert-definition-preview": "POST everybody 400",  # changes nothing
    "alert-definition-restore": "POST chief 200",
    "alert-detail": "part of one",
    "alert-export": "list",
    "alert-list": "list",
    "audit-chain": "GET chief 200",
    "audit-detail": "GET chief 200",
    "audit-export": "GET chief 200",
    "audit-list": "GET chief 200",
    "audit-verify": "POST chief 202",
    "capacity": "GET chief 200",
    "capacity-estimate": "GET chief 400",
    "capacity-history": "GET chief 200",
    "component-accept-certificate": "POST changed 400",
    "component-certificates": "GET changed 200",
    "component-check": "POST acted 202",
    "component-detail": "GET seen 200 · PATCH changed 200 · DELETE changed 204",
    "component-event-log": "part of one",
    "component-inventory-changes": "part of one",
    "component-inventory": "part of one",
    "component-join": "POST changed 400",
    "component-split": "POST changed 400",
    "component-list": "GET everybody 200 · POST chief 400",
    "component-port": "GET seen 200 · PATCH changed 200",
    "component-ports": "part of one",
    "component-power": "GET seen 200",
    "component-refresh": "POST acted 202",
    "component-samples": "GET seen 400",
    "component-settings": "GET acted 200 · PATCH acted 400",
    "component-settings-read": "POST acted 202",
    "component-settings-restart": "POST acted 409",  # it was never read whether it can
    "component-settings-reset": "POST acted 409",  # the same
    "component-sensor": "GET seen 200 · PATCH changed 200",
    "component-sensors": "part of one",
    "component-states": "part of one",
    "console-detail": "GET seen 200 · DELETE changed 409",  # no console process runs
    "console-list": "list",
    "console-transcript": "GET acted 200",
    "credential-detail": "GET seen 200 · PATCH changed 200 · DELETE changed 409",  # it is in use
    "credential-list": "GET everybody 200 · POST chief 400",
    "directory-detail": "GET chief 404 · PATCH chief 404 · DELETE chief 404",  # there is none
    "directory-group-detail": "GET chief 404 · DELETE chief 404",  # there is none
    "directory-group-list": "of the whole",
    "directory-list": "of the whole",
    "directory-test": "POST chief 404",  # there is none
    "directory-test-draft": "POST chief 400",
    "docs": "list",
    "driver-detail": "list",
    "driver-list": "list",
    "event-farewell-detail": "GET chief 200 · DELETE chief 204",
    "event-farewell-list": "GET chief 200",
    "event-subscription-detail": "part of one",
    "event-subscription-list": "list",
    "event-subscription-test": "POST acted 202",
    "excluded-port-detail": "GET seen 200 · DELETE changed 204",
    "excluded-port-list": "GET everybody 200 · POST chief 400",
    "excluded-port-take-file": "POST chief 400",
    "grant-detail": "GET chief 200 · DELETE chief 204",
    "grant-list": "of the whole",
    "group-detail": "GET seen 200 · PATCH changed 200 · DELETE changed 409",  # it is not empty
    "group-power": "GET seen 200",
    "group-list": "GET everybody 200 · POST chief 400",
    "incident-acknowledge": "POST somewhere 400",
    "incident-close": "POST somewhere 400",
    "incident-detail": "part of one",
    "incident-list": "list",
    "job-cancel": "POST changed 202",
    "job-detail": "part of one",
    "job-list": "list",
    "job-steps": "part of one",
    "inventory-change-detail": "part of one",
    "inventory-change-list": "list",
    "neighbour-detail": "part of one",
    "neighbour-list": "list",
    "operation-list": "POST everybody 400",  # whether he may is told of what it is about
    "option-detail": "GET chief 200 · PATCH chief 400",
    "option-reset": "POST chief 200",
    "option-list": "GET chief 200",
    "reception": "GET chief 200",
    "certificate": "GET chief 200 · POST chief 201",
    "certificate-import": "POST chief 400",
    "certificate-renew": "POST chief 409",  # there is none
    "certificate-request": "GET chief 404 · POST chief 201 · DELETE chief 204",
    "lock-out-detail": "GET chief 404 · DELETE chief 404",  # there is none
    "lock-out-list": "GET chief 200",
    "port-list": "GET chief 200",
    "process-detail": "GET chief 404",  # none runs in a test
    "process-list": "GET chief 200",
    "process-restart": "POST chief 404",
    "process-restart-all": "POST chief 409",
    "session-detail": "GET everybody 404 · DELETE everybody 404",  # there is none
    "session-end-others": "POST everybody 204",
    "session-list": "list",
    "settings-job-list": "POST somewhere 400",
    "settings-job-report": "POST somewhere 400",
    "user-second-factor": "DELETE chief 204",
    "remote-batch-detail": "GET seen 200 · PATCH acted 200 · DELETE acted 204",
    "remote-batch-leave-out": "POST acted 400",  # no day was sent
    "remote-batch-list": "GET everybody 200 · POST somewhere 400",
    "remote-batch-pause": "POST acted 200",
    "remote-batch-resume": "POST acted 409",  # it is not paused
    "remote-batch-run": "POST acted 202",
    "remote-batch-runs": "part of one",
    "remote-batch-take-back": "POST acted 400",
    "role-detail": "GET chief 200 · PATCH chief 200 · DELETE chief 409",  # it is held
    "role-list": "of the whole",
    "schema": "list",
    "support-bundle-detail": "GET chief 200",
    "support-bundle-download": "GET chief 200",
    "support-bundle-list": "GET chief 200 · POST chief 202",
    "suspend-period-detail": "GET seen 200 · PATCH acted 200 · DELETE acted 204",
    "suspend-period-end": "POST acted 409",  # it does not suspend now
    "suspend-period-its-occurrences": "part of one",
    "suspend-period-list": "GET everybody 200 · POST somewhere 400",
    "suspend-period-occurrences": "list",
    "team-detail": "one of the whole",
    "team-list": "of the whole",
    "token-detail": "GET own 200 · DELETE own 204",
    "token-list": "GET everybody 200 · POST open 400",  # made for a name and a password
    "sign-in-rule-detail": "one of the whole",
    "sign-in-rule-list": "of the whole",
    "group-access": "GET 403/403/403/200 -",
    "token-access": "GET own 200",
    "user-access": "GET 200/403/403/200 -",  # the viewer's own
    "user-detail": "one of the whole",
    "user-list": "of the whole",
}

PAGES = {
    "access:address-remove": "act on the whole",
    "access:addresses": "form of the whole",
    "access:all-tokens": "page of the whole",
    "access:grant-remove": "act on the whole",
    "access:member-remove": "act on the whole",
    "access:role": "form of the whole",
    "access:role-new": "form of the whole",
    "access:role-remove": "act on the whole",
    "access:roles": "page of the whole",
    "access:team": "form of the whole",
    "access:team-new": "form of the whole",
    "access:team-remove": "act on the whole",
    "access:teams": "page of the whole",
    "access:token-remove": "POST own 302",
    "access:tokens": "GET everybody 200 · POST everybody 400",
    "access:user": "form of the whole",
    "access:user-new": "form of the whole",
    "access:user-remove": "act on the whole",
    "access:directories": "GET chief 200 · POST chief 200",
    "access:directory": "GET chief 404 · POST chief 404",  # there is none
    "access:directory-group-remove": "POST chief 404",
    "access:directory-move": "POST chief 404",
    "access:directory-new": "form of the whole",
    "access:directory-remove": "POST chief 404",
    "access:directory-test": "POST chief 404",
    "access:directory-test-new": "POST chief 200",
    "access:lockout-release": "POST chief 404",  # there is none
    "access:lockouts": "GET chief 200 · POST chief 200",
    "access:role-second-factor": "GET chief 200 · POST chief 302",
    "access:second-factor-reset": "act on the whole",
    "access:user-release": "act on the whole",
    "accounts:code": "GET open 302 · POST 302/302/302/302/302 -",
    "accounts:second-factor": "GET everybody 200 · POST everybody 200",
    "accounts:session": "GET 200/200/200/200/401 -",
    "accounts:session-end": "POST everybody 404",  # there is none
    "accounts:sessions-end-all": "act on the whole",
    "accounts:sessions-end-others": "POST everybody 302",
    "portal:ports": "page of the whole",
    "portal:processes": "page of the whole",
    "portal:restart": "act on the whole",
    "portal:restarting": "page of the whole",
    "portal:set-ports": "POST chief 400",
    "portal:try-port": "POST chief 404",
    "tls:authority-der": "GET open 404",  # there is none
    "tls:authority-pem": "GET open 404",
    "tls:create": "form of the whole",
    "tls:import": "form of the whole",
    "settings:history": "GET chief 200",
    "settings:list": "page of the whole",
    "settings:option": "GET chief 200 · POST chief 400",
    "settings:reset": "act on the whole",
    "tls:page": "form of the whole",
    "tls:renew": "act on the whole",
    "tls:request": "GET chief 404",
    "tls:request-remove": "act on the whole",
    "tls:trust": "GET open 200",
    "access:users": "page of the whole",
    "access:user-rights": "page of the whole",
    "access:group-rights": "page of the whole",
    "access:token-rights": "GET own 200",
    "access:my-rights": "page",
    "accounts:language": "POST open 400",
    "accounts:login": "GET 302/302/302/302/200 - · POST open 400",  # who is signed in is led on
    "accounts:logout": "POST everybody 302",
    "accounts:old-login": "GET open 302",
    "accounts:password": "GET everybody 200 · POST everybody 400",
    "accounts:preferences": "GET everybody 200 · POST everybody 400",
    "alerts:acknowledge": "GET 403/404/200/200 - · POST everybody 404",
    "alerts:alert": "page of one",
    "alerts:alert-news": "GET everybody 204",
    "alerts:assign": "POST changed 404",  # it is assigned
    "alerts:close": "GET 403/404/200/200 - · POST everybody 404",
    "alerts:export": "page",
    "alerts:forget-farewell": "act on the whole",
    "alerts:incident": "page of one",
    "alerts:incident-news": "GET everybody 204",
    "alerts:incidents": "page",
    "alerts:list": "page",
    "alerts:reception": "page of the whole",
    "alerts:test-subscription": "act on one",
    "audit:chain": "GET chief 200",
    "audit:entry": "GET 403/403/403/200 -",
    "audit:export": "GET chief 200",
    "audit:list": "GET chief 200",
    "audit:verify": "POST chief 302",
    "components:add": "form of the whole",
    "components:bulk": "POST everybody 302",
    "components:certificate": "GET changed 404 · POST changed 404",  # its driver knows no certificates
    "components:check": "act on one",
    "components:component": "page of one",
    "components:credential": "GET own 200 · POST own 200",
    "components:credential-add": "GET chief 200 · POST chief 200",
    "components:credential-remove": "POST own 302",
    "components:credentials": "page of the whole",
    "components:edit": "form of a chief",
    "components:split": "POST changed 404",  # there is no such interface
    "components:join": "POST changed 404",  # there is no such other component
    "components:list": "page",
    "components:manage": "act of a chief",
    "components:refresh": "act on one",
    "components:remove": "GET changed 200 · POST changed 302",
    "components:resume": "act on one",
    "components:suspend": "GET acted 200 · POST acted 400",
    "control:console": "GET acted 200",
    "control:console-attach": "GET nobody 404",  # there is nothing here but for a WebSocket
    "control:console-transcript": "GET acted 200",
    "control:settings": "GET acted 200 · POST acted 400",
    "control:settings-apply": "POST everybody 404",  # a change that there is not
    "control:settings-of-many": "GET everybody 200 · POST everybody 200",
    "control:settings-read": "POST everybody 302",  # nothing is chosen
    "control:settings-defaults": "GET acted 200 · POST acted 400",
    "control:settings-reset": "GET acted 200 · POST acted 400",
    "control:settings-restart": "GET acted 200 · POST acted 400",
    "control:order": "GET everybody 200 · POST everybody 404",  # an order that there is not
    "control:own-page": "GET acted 302",
    "core:stream": "GET 204/204/204/204/401 -",  # the test's server cannot hold it open
    "definitions:apply": "act on the whole",
    "definitions:definition": "GET everybody 200 · POST chief 400",
    "definitions:enabled": "act on the whole",
    "definitions:export": "page",
    "definitions:import": "form of the whole",
    "definitions:list": "page",
    "definitions:new": "form of the whole",
    "definitions:remove": "act on the whole",
    "definitions:restore": "act on the whole",
    "definitions:settle": "POST chief 404",  # there is no such alert
    "groups:add": "GET chief 200 · POST chief 200",
    "groups:group": "GET changed 200 · POST changed 200",
    "groups:list": "page",
    "groups:remove": "act of a chief",
    "jobs:cancel": "POST seen 302",  # refused in words, where it is not his
    "jobs:job": "page of one",
    "jobs:list": "page",
    "monitoring:chart": "page of one",
    "monitoring:chart-file": "page of one",
    "monitoring:component-chart": "page of one",
    "monitoring:component-chart-file": "page of one",
    "monitoring:event-log-file": "page of one",
    "monitoring:component-inventory-changes-file": "page of one",
    "monitoring:inventory-changes": "page",
    "monitoring:inventory-changes-file": "page",
    "monitoring:excluded-ports": "GET everybody 200 · POST chief 400",
    "monitoring:fleet-chart": "page",
    "monitoring:fleet-chart-file": "page",
    "monitoring:include-again": "act of a chief",
    "monitoring:limits": "form of a chief",
    "monitoring:limits-of-many": "form of a chief",
    "monitoring:logged-entry": "page of one",
    "monitoring:set-excluded": "act of a chief",
    "monitoring:statistics": "page",
    "portal:about": "page",
    "portal:bundle": "page of the whole",
    "portal:bundle-order": "act on the whole",
    "portal:bundles": "page of the whole",
    "portal:capacity": "page of the whole",
    "portal:capacity-history": "page of the whole",
    "portal:dashboard": "page",
    "portal:help": "page",
    "portal:pulse": "page",
    "portal:style-guide": "page",
    "portal:style-guide-series": "page",
    "remote_batches:add": "GET somewhere 200 · POST somewhere 200",
    "remote_batches:batch": "page of one",
    "remote_batches:edit": "GET acted 200 · POST acted 400",
    "remote_batches:leave-out": "POST acted 404",  # no such day was sent
    "remote_batches:list": "page",
    "remote_batches:pause": "act on one",
    "remote_batches:preview": "POST somewhere 200",
    "remote_batches:remove": "act on one",
    "remote_batches:resume": "act on one",
    "remote_batches:run": "GET acted 200 · POST acted 200",  # not confirmed
    "remote_batches:take-back": "POST acted 404",
    "schedules:calendar": "page",
    "suspend_periods:add": "GET somewhere 200 · POST somewhere 200",
    "suspend_periods:edit": "GET acted 200 · POST acted 200",
    "suspend_periods:end": "act on one",
    "suspend_periods:leave-out": "POST acted 404",  # no such day was sent
    "suspend_periods:list": "page",
    "suspend_periods:period": "page of one",
    "suspend_periods:preview": "POST somewhere 200",
    "suspend_periods:remove": "act on one",
    "suspend_periods:switch": "act on one",
    "suspend_periods:take-back": "POST acted 404",  # no such day was sent
    "system:healthz": "GET open 200",
    "system:metrics": "GET open 200",  # from the machine itself
    "system:readyz": "GET open 503",  # there is no broker in a test
}

CLASSIC_FAMILIES = {
    "the whole": {
        "changelist": "GET chief 200 · POST chief 200",
        "add": "GET chief 200 · POST chief 200",
        "change": "GET chief 200 · POST chief 200",
        "delete": "GET chief 200 · POST chief 200",
        "history": "GET chief 302 · POST chief 302",
    },
    "one of a group": {
        "changelist": "GET everybody 200 · POST everybody 200",
        "add": "GET chief 200 · POST chief 200",
        "change": "GET seen 200 · POST changed 200",
        "delete": "GET changed 200 · POST changed 200",
        "history": "GET seen 302 · POST seen 302",
    },
    "read alone": {
        "changelist": "GET everybody 200 · POST everybody 200",
        "add": "GET nobody 403",
        "change": "GET seen 200",
        "delete": "GET 403/404/403/403 -",
        "history": "GET seen 302 · POST seen 302",
    },
}
"""What the five addresses of a model in classic mode have in common."""

CLASSIC_MODELS = {
    "access_allowedaddress": "the whole",
    "access_apitoken": "the whole",
    "access_grant": "the whole",
    "access_role": "the whole",
    "access_signinrule": "the whole",
    "accounts_directory": "the whole",
    "accounts_directorygroup": "the whole",
    "accounts_lockout": "the whole",
    "accounts_session": "the whole",
    "accounts_totpdevice": "the whole",
    "accounts_team": "the whole",
    "accounts_user": "the whole",
    "alerts_alert": "read alone",
    "alerts_alertdefinition": "the whole",
    "alerts_counter": "the whole",
    "alerts_eventsubscription": "read alone",
    "alerts_farewell": "the whole",
    "alerts_incident": "read alone",
    "components_component": "one of a group",
    "components_credential": "one of a group",
    "components_managementinterface": "one of a group",
    "components_suspendperiod": "one of a group",
    "control_remotebatch": "one of a group",
    "core_auditentry": "the whole",
    "core_job": "read alone",
    "core_optionvalue": "the whole",
    "groups_group": "one of a group",
    "monitoring_excludedport": "one of a group",
    "monitoring_inventorychange": "read alone",
    "monitoring_limit": "read alone",
    "monitoring_liveness": "read alone",
    "monitoring_loggedentry": "read alone",
    "monitoring_logplace": "read alone",
    "monitoring_sensor": "read alone",
    "system_certificate": "the whole",
    "system_certificaterequest": "the whole",
}

CLASSIC = {  # what is otherwise than its family, and what belongs to no model
    "admin:access_allowedaddress_change": "GET chief 200 · POST chief 302",  # an empty note is one
    "admin:access_apitoken_add": "GET nobody 403",
    "admin:access_apitoken_change": "GET own 200",
    "admin:access_apitoken_delete": "GET own 200 · POST own 200",
    "admin:access_apitoken_history": "GET own 302 · POST own 302",
    "admin:access_grant_change": "GET chief 200",
    "admin:accounts_directory_change": "GET nobody 404",  # there is none
    "admin:accounts_directory_delete": "GET nobody 404",
    "admin:accounts_directory_history": "GET nobody 404",
    "admin:accounts_directorygroup_change": "GET nobody 404",
    "admin:accounts_directorygroup_delete": "GET nobody 404",
    "admin:accounts_directorygroup_history": "GET nobody 404",
    "admin:accounts_session_add": "GET nobody 403",
    "admin:accounts_session_change": "GET own 200",
    "admin:accounts_session_delete": "GET own 200 · POST own 200",
    "admin:accounts_session_history": "GET own 302 · POST own 302",
    "admin:alerts_alertdefinition_delete": "GET nobody 403",  # it came with the portal
    "admin:alerts_counter_add": "GET nobody 403",
    "admin:alerts_farewell_add": "GET nobody 403",
    "admin:alerts_farewell_change": "GET chief 200",
    "admin:alerts_farewell_delete": "GET nobody 403",
    "admin:alerts_counter_change": "GET nobody 404",  # there is none
    "admin:alerts_counter_delete": "GET nobody 404",
    "admin:alerts_counter_history": "GET nobody 404",
    "admin:components_suspendperiod_add": "GET somewhere 200 · POST somewhere 200",
    "admin:components_suspendperiod_change": "GET seen 200 · POST acted 200",
    "admin:components_suspendperiod_delete": "GET acted 200 · POST acted 200",
    "admin:control_remotebatch_add": "GET somewhere 200 · POST somewhere 200",
    "admin:control_remotebatch_change": "GET seen 200 · POST acted 200",
    "admin:control_remotebatch_delete": "GET acted 200 · POST acted 200",
    "admin:core_auditentry_add": "GET nobody 403",
    "admin:core_auditentry_change": "GET own 200",
    "admin:core_auditentry_delete": "GET 404/404/404/403 -",
    "admin:core_auditentry_history": "GET own 302 · POST own 302",
    "admin:core_optionvalue_add": "GET chief 404 · POST chief 404",
    "admin:core_optionvalue_change": "GET chief 200 · POST chief 400",
    "admin:core_optionvalue_delete": "GET nobody 404",
    "admin:core_optionvalue_history": "GET chief 302 · POST chief 302",
    "admin:monitoring_limit_change": "GET seen 200 · POST changed 302",
    "admin:monitoring_limit_delete": "GET changed 200 · POST changed 200",
    "admin:accounts_lockout_add": "GET nobody 403",
    "admin:accounts_lockout_change": "GET nobody 404",  # there is none
    "admin:accounts_lockout_delete": "GET nobody 404",
    "admin:accounts_lockout_history": "GET nobody 404",
    "admin:accounts_totpdevice_add": "GET nobody 403",
    "admin:accounts_totpdevice_change": "GET nobody 404",
    "admin:accounts_totpdevice_delete": "GET nobody 404",
    "admin:accounts_totpdevice_history": "GET nobody 404",
    "admin:monitoring_excludedport_change": "GET seen 200",
    "admin:system_certificate_add": "GET nobody 403",
    "admin:system_certificate_change": "GET nobody 404",
    "admin:system_certificate_delete": "GET nobody 404",
    "admin:system_certificate_history": "GET nobody 404",
    "admin:system_certificaterequest_add": "GET nobody 403",
    "admin:system_certificaterequest_change": "GET nobody 404",
    "admin:system_certificaterequest_delete": "GET nobody 404",
    "admin:system_certificaterequest_history": "GET nobody 404",
    "admin:autocomplete": "GET nobody 403",
    "admin:index": "GET everybody 200 · POST everybody 200",
    "admin:jsi18n": "GET everybody 200",
    "admin:login": "GET 302/302/302/302/200 - · POST open 400",
    "admin:logout": "POST everybody 302",
    "admin:password_change": "GET everybody 302 · POST everybody 302",
    "admin:password_change_done": "GET everybody 200",
}


@dataclass(frozen=True)
class Line:
    """What everybody gets from one address, by method."""

    by_method: Mapping[str, Mapping[str, int]]

    @classmethod
    def read(cls, text: str, surface: str) -> "Line":
        """Read a line of the table."""
        return cls({part.split()[0]: _answers(part, surface) for part in FAMILIES.get(text, text).split(" · ")})


def _answers(part: str, surface: str) -> Mapping[str, int]:
    method, rule, status = part.split()
    if rule == "open":
        return dict.fromkeys(EVERYBODY, int(status))
    answers = RULES[rule] if rule in RULES else tuple(rule.split("/"))
    outside = int(answers[len(ASKERS)]) if len(answers) > len(ASKERS) else 302
    found = {asker: int(answer.replace("=", status)) for asker, answer in zip(ASKERS, answers, strict=False)}
    if surface == "api":
        reading = found["administrator"] if method == "GET" else 403
        return found | {"nobody": 401, "expired token": 401, "read-only token": reading}
    return found | dict.fromkeys(("nobody", "expired token", "read-only token"), outside)


def table(surface: str) -> Mapping[str, Line]:
    """Give the lines of pages, of the API, or of classic mode, by the names of their routes."""
    lines = {"page": PAGES, "api": API, "classic": _classic()}[surface]
    return {name: Line.read(text, surface) for name, text in lines.items()}


def _classic() -> Mapping[str, str]:
    families = {
        f"admin:{model}_{what}": line
        for model, family in CLASSIC_MODELS.items()
        for what, line in CLASSIC_FAMILIES[family].items()
    }
    return families | CLASSIC
