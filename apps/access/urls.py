"""The pages of users and access."""

from django.urls import path

from apps.access.views import addresses, directories, lockouts, rights, roles, second_factor, teams, tokens, users

app_name = "access"
urlpatterns = [
    path("access/", users.user_list, name="users"),
    path("access/users/new/", users.user_new, name="user-new"),
    path("access/users/<int:pk>/", users.user, name="user"),
    path("access/users/<int:pk>/remove/", users.user_remove, name="user-remove"),
    path("access/users/<int:pk>/rights/", rights.of_user, name="user-rights"),
    path("access/groups/<int:pk>/", rights.on_group, name="group-rights"),
    path("access/mine/", rights.of_oneself, name="my-rights"),
    path("access/users/<int:pk>/second-factor/reset/", second_factor.reset, name="second-factor-reset"),
    path("access/users/<int:pk>/release/", lockouts.user_release, name="user-release"),
    path("access/lock-outs/", lockouts.lockout_list, name="lockouts"),
    path("access/lock-outs/<int:pk>/release/", lockouts.lockout_release, name="lockout-release"),
    path("access/grants/<int:pk>/remove/", users.grant_remove, name="grant-remove"),
    path("access/teams/", teams.team_list, name="teams"),
    path("access/teams/new/", teams.team_new, name="team-new"),
    path("access/teams/<int:pk>/", teams.team, name="team"),
    path("access/teams/<int:pk>/members/<int:user_pk>/remove/", teams.member_remove, name="member-remove"),
    path("access/teams/<int:pk>/remove/", teams.team_remove, name="team-remove"),
    path("access/roles/", roles.role_list, name="roles"),
    path("access/roles/new/", roles.role_new, name="role-new"),
    path("access/roles/<int:pk>/", roles.role, name="role"),
    path("access/roles/<int:pk>/remove/", roles.role_remove, name="role-remove"),
    path("access/roles/<int:pk>/second-factor/", second_factor.role, name="role-second-factor"),
    path("access/directories/", directories.directory_list, name="directories"),
    path("access/directories/new/", directories.directory_new, name="directory-new"),
    path("access/directories/test/", directories.directory_test, name="directory-test-new"),
    path("access/directories/<int:pk>/", directories.directory, name="directory"),
    path("access/directories/<int:pk>/test/", directories.directory_test, name="directory-test"),
    path("access/directories/<int:pk>/move/", directories.directory_move, name="directory-move"),
    path("access/directories/<int:pk>/remove/", directories.directory_remove, name="directory-remove"),
    path("access/directory-groups/<int:pk>/remove/", directories.directory_group_remove, name="directory-group-remove"),
    path("access/addresses/", addresses.address_list, name="addresses"),
    path("access/addresses/<int:pk>/remove/", addresses.address_remove, name="address-remove"),
    path("access/tokens/", tokens.token_list, name="tokens"),
    path("access/tokens/all/", tokens.all_tokens, name="all-tokens"),
    path("access/tokens/<int:pk>/rights/", rights.of_token, name="token-rights"),
    path("access/tokens/<int:pk>/remove/", tokens.token_remove, name="token-remove"),
]
