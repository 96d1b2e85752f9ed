"""Settings that every environment shares; what differs stands in dev, prod and test."""

import os

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from esm.settings import env
from esm.settings.schedule import SCHEDULE

BASE_DIR = env.BASE_DIR
DATA_DIR = env.data_dir()

# --- where the portal listens; 0 lets the system choose -----------------------------------------------------------
BIND = env.text("ESM_BIND", "127.0.0.1")
HTTP_PORT = env.port("ESM_HTTP_PORT", 21120)
CLASSIC_PORT = env.port("ESM_CLASSIC_PORT", 21112)
REDIRECT_PORT = env.port("ESM_REDIRECT_PORT", 0) if env.text("ESM_REDIRECT_PORT") else None  # leads to HTTPS
TRAP_PORT = env.port("ESM_TRAP_PORT", 162 if os.geteuid() == 0 else 10162)
EVENT_PORT = env.port("ESM_EVENT_PORT", 21443)  # Redfish events
RUN_AS = env.text("ESM_USER")
TRUSTED_PROXIES = env.words("ESM_TRUSTED_PROXIES")
SECRETS_KEY_FILE = env.text("ESM_SECRETS_KEY_FILE", str(DATA_DIR / "keys" / "secrets.key"))

LARGEST_REQUEST = 16 * 2**20  # octets; the largest file is one of 2 MB, which JSON may write six times as long

DEBUG = False
ALLOWED_HOSTS = ["*"]  # by which names it may be called is an option, see apps.access.services.hosts
ROOT_URLCONF = "esm.urls"
CLASSIC_URLCONF = "esm.classic_urls"
ASGI_APPLICATION = "esm.asgi.application"
WSGI_APPLICATION = "esm.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"

INSTALLED_APPS = [
    "apps.portal.classic.ClassicConfig",  # Django admin with our site as its default
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",  # the files of /api/docs/, served by ourselves
    "django_celery_beat",
    "axes",
    "django_otp",
    "csp",
    "apps.core",
    "apps.accounts",
    "apps.groups",
    "apps.access",
    "apps.components",
    "apps.alerts",
    "apps.monitoring",
    "apps.control",
    "apps.system",
    "apps.portal",
]

MIDDLEWARE = [
    # What every answer carries, also a refusal, a file and an error.
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "apps.system.tls.middleware.HeadersMiddleware",
    # Who asks, by which name and way.
    "apps.access.middleware.AddressMiddleware",
    "apps.access.bodies.CutBodyMiddleware",
    "apps.system.tls.middleware.CookiesMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.core.audit_middleware.RefusalMiddleware",
    "apps.accounts.middleware.IdleMiddleware",
    "apps.accounts.middleware.PreferencesMiddleware",
    "apps.access.middleware.WhereaboutsMiddleware",
    "apps.accounts.middleware.SignInRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "apps.portal.middleware.NotAllowedMiddleware",
    "apps.portal.middleware.PortMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.portal.context_processors.shell",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static", "apps.portal.templatetags.ui"],
        },
    },
]

DATABASES = {"default": env.database()}

# --- broker, cache, publish/subscribe ------------------------------------------------------------------------------
REDIS_URL = env.url("REDIS_URL")
BROKER_SOCKET = env.broker_socket()
CONSOLE_SOCKET = BROKER_SOCKET.with_name("console.sock")
_redis_url = REDIS_URL or f"unix://{BROKER_SOCKET}"
EVENTS_REDIS_URL = _redis_url
CELERY_BROKER_URL = _redis_url.replace("unix://", "redis+socket://", 1)  # kombu has its own word for a socket
CACHES = {"default": {"BACKEND": "apps.core.cache.RedisCache", "LOCATION": _redis_url}}

CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = SCHEDULE
CELERY_TIMEZONE = "UTC"
CELERY_TASK_ROUTES = {
    "apps.monitoring.tasks.poll_shard": {"queue": "poll"},
    "apps.monitoring.tasks.sweep": {"queue": "poll"},
}
DJANGO_CELERY_BEAT_TZ_AWARE = True

# --- sign-in --------------------------------------------------------------------------------------------------------
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
SESSION_ENGINE = "apps.accounts.session_store"
SESSION_COOKIE_NAME = f"esm_session_{HTTP_PORT}"  # two instances on one host do not sign each other out
CSRF_COOKIE_NAME = f"esm_csrf_{HTTP_PORT}"
LANGUAGE_COOKIE_NAME = f"esm_language_{HTTP_PORT}"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SCRIPT_COOKIES = frozenset({f"esm_left_{HTTP_PORT}"})  # the only ones that pages read themselves
CSRF_COOKIE_HTTPONLY = True  # pages carry the token themselves
CSRF_COOKIE_SAMESITE = "Lax"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # lets nobody further who failed too often
    "django.contrib.auth.backends.ModelBackend",  # local administrators sign in when every directory is down
    "apps.accounts.backends.DirectoryBackend",
]
AXES_HANDLER = "apps.accounts.lockout_handler.Handler"
AXES_ENABLE_ADMIN = False  # its tables stay empty: lock-outs have a page of their own
AXES_VERBOSE = False
SILENCED_SYSTEM_CHECKS = ["axes.W002"]  # its middleware would tell who is locked, see apps.accounts.lockout_handler
AUTH_PASSWORD_VALIDATORS = [{"NAME": "apps.accounts.password_policy.PolicyValidator"}]

# --- languages and time ---------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ja", _("Japanese"))]
LOCALE_PATHS = [BASE_DIR / "esm" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- files ----------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True  # pages ask for no others
FIXTURES_DIR = BASE_DIR / "fixtures"

# --- drivers --------------------------------------------------------------------------------------------------------
HIDDEN_DRIVERS_OFFERED = False  # the driver of devices that exist nowhere

# --- security -------------------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
CSRF_FAILURE_VIEW = "apps.portal.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CROSS_ORIGIN_RESOURCE_POLICY = "same-origin"
PERMISSIONS_POLICY = ", ".join(  # what no page of ours asks a browser for
    f"{feature}=()"
    for feature in (
        *("accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "encrypted-media"),
        *("geolocation", "gyroscope", "hid", "idle-detection", "magnetometer", "microphone", "midi", "payment"),
        *("picture-in-picture", "publickey-credentials-create", "publickey-credentials-get", "screen-wake-lock"),
        *("serial", "usb", "xr-spatial-tracking"),
    )
)

# --- API ------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.access.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.core.parsing.Json"],
    "DEFAULT_PAGINATION_CLASS": "apps.core.paging.Pages",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend", "apps.core.paging.Search"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "apps.core.problems.problem_details",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Fleet portal API",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    # What several resources call "status" without meaning the same has names of its own.
    "ENUM_NAME_OVERRIDES": {
        "PartStatusEnum": [
            ("critical", "critical"),
            ("warning", "warning"),
            ("unknown", "unknown"),
            ("normal", "normal"),
        ],
        "PermissionEnum": "apps.core.scoping.PERMISSIONS",
        "DirectoryKindEnum": [("ldap", "LDAP"), ("active-directory", "Active Directory")],
    },
}

# --- logging: one line an event, to standard error; processes are told apart by their prefix in `up` -----------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django.server": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "celery.app.trace": {"level": "WARNING"},  # each of the thousands of tasks a day would be two lines
        "celery.worker.strategy": {"level": "WARNING"},
    },
}
