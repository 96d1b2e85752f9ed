"""What shows the same on every database, and is therefore run on the default one alone.

In these files it is decided before a statement or after it: by pages and forms, languages and limits, by the network,
by keys and certificates, by devices and directories that others wrote. The rows that they need are kept and found by
others, which run twice; and ``contract/test_every_address.py`` opens every page, list and resource on both databases.
A single test says the same of itself by the mark ``one_database``: what is refused on SQLite, which takes anything,
was refused before the database was asked.
"""

from pathlib import Path

HERE = Path(__file__).parent
FOLDERS = ("components/pages", "docs", "drivers", "e2e", "protocols", "simulators", "i18n", "system/tls")
FILES = (
    "access/test_addresses.py",
    "access/test_bodies.py",
    "access/test_hosts.py",
    "access/test_pages.py",
    "access/test_whereabouts.py",
    "accounts/directories/test_active_directory.py",
    "accounts/directories/test_configuring.py",
    "accounts/directories/test_equal_time.py",
    "accounts/directories/test_names_that_wait.py",
    "accounts/directories/test_signing_in.py",
    "accounts/directories/test_testing.py",
    "accounts/test_passwords.py",
    "accounts/test_second_factor.py",
    "accounts/test_sign_in.py",
    "alerts/test_classic.py",
    "alerts/test_definition_pages.py",
    "alerts/test_event_port.py",
    "alerts/test_port_names.py",
    "alerts/test_products.py",
    "alerts/test_redfish_event.py",
    "alerts/test_subscription_pages.py",
    "alerts/test_subscriptions.py",
    "alerts/test_version_3.py",
    "blackbox/test_contract.py",
    "blackbox/test_schema.py",
    "blackbox/test_strict_bodies.py",
    "components/test_certificates.py",
    "components/test_snmpd_story.py",
    "components/test_suspend_periods_classic.py",
    "control/test_against_ipmi_sim.py",
    "control/test_batch_pages.py",
    "control/test_consoles.py",
    "control/test_hints.py",
    "control/test_ilo.py",
    "control/test_on_the_wire.py",
    "control/test_order_page.py",
    "control/test_power_cap.py",
    "control/test_settings.py",
    "control/test_settings_of_an_ilo.py",
    "control/test_settings_pages.py",
    "control/test_shutting_down.py",
    "core/test_classic_contract.py",
    "core/test_classic_mode.py",
    "core/test_job_pages.py",
    "core/test_setting_pages.py",
    "core/test_stream.py",
    "groups/test_pages.py",
    "monitoring/test_charts.py",
    "monitoring/test_classic_mode.py",
    "monitoring/test_event_log_peers.py",
    "monitoring/test_every_change_is_audited.py",
    "monitoring/test_ilo.py",
    "monitoring/test_inventory_change_pages.py",
    "monitoring/test_limits_of_many.py",
    "monitoring/test_panels.py",
    "monitoring/test_port_exclusion.py",
    "monitoring/test_real_agent.py",
    "portal/test_about.py",
    "portal/test_capacity.py",
    "portal/test_frame.py",
    "portal/test_help.py",
    "portal/test_routes.py",
    "system/test_listening.py",
    "system/test_orders.py",
    "system/test_patience.py",
    "system/test_port_table.py",
    "system/test_preflight.py",
    "system/test_running.py",
    "system/test_supervisor.py",
    "system/test_support_bundle.py",
    "system/test_up.py",
    "system/test_views.py",
)
ALIKE = {HERE / name for name in (*FOLDERS, *FILES)}


def is_alike(path: Path) -> bool:
    """Tell whether a file or folder needs no second run; it is then not even read."""
    return path in ALIKE


def gone() -> list[Path]:
    """Give what is named here and is not there."""
    return sorted(path for path in ALIKE if not path.exists())
