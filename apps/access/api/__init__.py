"""The API resources of access: roles, grants, teams, tokens, who may do what, and the addresses that may connect."""

from django.urls import URLPattern

from apps.access.api.addresses import routes as address_routes
from apps.access.api.rights import routes as rights_routes
from apps.access.api.roles import routes as role_routes
from apps.access.api.sign_in_rules import routes as sign_in_routes
from apps.access.api.teams import routes as team_routes
from apps.access.api.tokens import routes as token_routes

routes: list[URLPattern] = [*role_routes, *team_routes, *address_routes, *token_routes, *rights_routes, *sign_in_routes]
