"""The support bundle: what somebody who helps needs to know of a portal, and no secret."""
