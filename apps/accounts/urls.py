"""The pages of accounts, on both ports."""

from django.urls import path

from apps.accounts import second_factor_pages, session_pages, views

app_name = "accounts"
urlpatterns = [
    path("login/", views.sign_in, name="login"),
    path("login/code/", second_factor_pages.code, name="code"),
    path("logout/", views.sign_out, name="logout"),
    path("esmpro/Login/index", views.old_sign_in, name="old-login"),
    path("password/", views.password, name="password"),
    path("second-factor/", second_factor_pages.second_factor, name="second-factor"),
    path("preferences/", views.preferences, name="preferences"),
    path("preferences/language/", views.language, name="language"),
    path("session/", session_pages.session, name="session"),
    path("sessions/<int:pk>/end/", session_pages.end, name="session-end"),
    path("sessions/end-others/", session_pages.end_others, name="sessions-end-others"),
    path("sessions/end-all/<int:pk>/", session_pages.end_all, name="sessions-end-all"),
]
