"""What the portal knows of the iLO driver without importing it."""

from dataclasses import replace

from apps.drivers.redfish.spec import SPEC as REDFISH

SPEC = replace(REDFISH, name="ilo", label="iLO", short="iLO", licence_kind="ilo")
