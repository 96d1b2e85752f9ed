"""Every address of the portal, asked by everybody who might ask."""
