"""The pages of accounts, on both ports."""

from django.urls import path

from apps.accounts import views

app_name = "accounts"
urlpatterns = [
    path("login/", views.sign_in, name="login"),
    path("logout/", views.sign_out, name="logout"),
    path("esmpro/Login/index", views.old_sign_in, name="old-login"),
    path("password/", views.password, name="password"),
    path("preferences/", views.preferences, name="preferences"),
    path("preferences/language/", views.language, name="language"),
]
