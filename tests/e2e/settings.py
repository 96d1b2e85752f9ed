"""The settings of a portal that many sign in to: as it is run, but for passwords that are hashed in no time."""

from esm.settings.prod import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
