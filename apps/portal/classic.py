"""Puts Django's admin into the project with our site; the site stands apart, as it needs the models."""

from django.contrib.admin.apps import AdminConfig


class ClassicConfig(AdminConfig):
    """Django's admin with our site as its default."""

    default_site = "apps.portal.classic_site.ClassicSite"
