"""The version of the portal."""

VERSION = "0.1.0"
