"""Settings that hold everywhere. Every value from outside comes through config.environment."""

from pathlib import Path
from typing import Any

from config import database, environment, services
from config.logging import logging_settings
from config.settings.admin_look import UNFOLD as UNFOLD

BASE_DIR = Path(__file__).resolve().parent.parent.parent
DATA = Path(environment.text("DATA", str(BASE_DIR / "var"))).resolve()
_found = services.found(DATA)

DEBUG = False
SECRET_KEY = environment.text("SECRET_KEY", services.secret(DATA, "secret-key"))
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]"))
BASE_URL = environment.text("BASE_URL", f"http://127.0.0.1:{environment.integer('PORT', 8000)}").rstrip("/")

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "channels",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_static",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "guardian",
    "rest_framework",
    "apps.accounts.apps.AccountsConfig",
    "apps.vault.apps.VaultConfig",
    "apps.integrations.apps.IntegrationsConfig",
    "apps.workflows.apps.WorkflowsConfig",
    "apps.chat.apps.ChatConfig",
    "config.apps.ProjectConfig",
]

MIDDLEWARE = [
    "apps.accounts.request_ids.RequestContextMiddleware",
    "config.health.ProbeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "apps.accounts.pages.policy.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.accounts.signin.second_factor.SecondFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "apps.accounts.signin.sessions.SessionActivityMiddleware",
    "apps.accounts.signin.transactions.SignInTransactionMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "apps.accounts.pages.zone.ReadersZoneMiddleware",
    "apps.vault.sealed.SealedMiddleware",
    "apps.accounts.tenancy.middleware.TenancyMiddleware",
    "apps.vault.idempotency.middleware.IdempotencyMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.accounts.pages.shell.shell",
            ],
        },
    },
]

# --- database: the app role serves, the owner migrates (docs/security-model.md)
DATABASE_URL = environment.text(
    "DATABASE_URL", _found.get("DATABASE_URL", "postgres://strongroom_app@127.0.0.1/strongroom")
)
MIGRATION_DATABASE_URL = environment.text("MIGRATION_DATABASE_URL", _found.get("MIGRATION_DATABASE_URL", DATABASE_URL))
DATABASES = {"default": database.settings(DATABASE_URL, MIGRATION_DATABASE_URL)}
APP_DATABASE_ROLE = database.from_url(DATABASE_URL)["USER"]
PLATFORM_DATABASE_ROLE = "strongroom_platform"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- cache, background work; open pages are told of changes through the same server (apps/accounts/live)
REDIS_URL = environment.text("REDIS_URL", _found.get("REDIS_URL", "redis://127.0.0.1:6379/0"))
CACHES = {
    "default": {
        "BACKEND": "config.cache.KeepingRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "strongroom",
        "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 5},
    }
}
CELERY_BROKER_URL = environment.text("CELERY_BROKER_URL", REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A request never waits long for a broker that is away: the job's row is stored and the sweep sends it later.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 2, "socket_timeout": 5, "visibility_timeout": 3600}
# Keep the database connection between tasks: 2.7 to 3.7 times the tasks, and safe because scopes are
# transaction-local (docs/performance.md).
CELERY_DB_REUSE_MAX = 10_000
CELERY_BEAT_SCHEDULE = {
    "sweep-jobs": {"task": "accounts.sweep_jobs", "schedule": 5.0},
    "expire-reservations": {"task": "accounts.expire_reservations", "schedule": 30.0},
    "clear-away-usage": {"task": "accounts.clear_away_usage", "schedule": 3600.0},
    "purge-remembered-requests": {"task": "vault.purge_remembered_requests", "schedule": 3600.0},
    "clear-contact-imports": {"task": "vault.clear_contact_imports", "schedule": 3600.0},
    "reconcile-projects": {"task": "integrations.reconcile_projects", "schedule": 3600.0},
    "align-features": {"task": "integrations.align_features", "schedule": 3600.0},
    "sweep-provider-events": {"task": "integrations.sweep_events", "schedule": 60.0},
    "clear-old-provider-events": {"task": "integrations.clear_old_events", "schedule": 3600.0},
    "sweep-index": {"task": "chat.sweep_index", "schedule": 3.0},
    "wake-snoozed": {"task": "chat.wake_snoozed", "schedule": 15.0},
    "sweep-suggestions": {"task": "chat.sweep_suggestions", "schedule": 3.0},
    "renew-grants": {"task": "integrations.renew_grants", "schedule": 60.0},
    "clear-left-grants": {"task": "integrations.clear_left_grants", "schedule": 3600.0},
    "count-holdings": {"task": "integrations.count_holdings", "schedule": 3600.0},
    "purge-zerodb-projects": {"task": "integrations.purge_zerodb_projects", "schedule": 3600.0},
}
# What all prices, costs and limits of cost are in (ISO 4217).
CURRENCY = environment.currency("CURRENCY", "USD")
JOB_LEASE_SECONDS = environment.integer("JOB_LEASE_SECONDS", 30, least=3)

# --- vault
VAULT_MASTER_KEY_URI = environment.text("VAULT_MASTER_KEY_URI", "")
# Lists of contacts: the largest file taken in, and how long an import's rejected rows are kept.
UPLOAD_DIR = Path(environment.text("UPLOAD_DIR", str(DATA / "uploads")))
UPLOAD_MAX_BYTES = environment.integer("UPLOAD_MAX_BYTES", 100_000_000, least=1_000)
# The largest file that comes with a message.
ATTACHMENT_MAX_BYTES = environment.integer("ATTACHMENT_MAX_BYTES", 10_000_000, least=1_000)
CONTACT_IMPORT_DAYS = environment.integer("CONTACT_IMPORT_DAYS", 30, least=1)
# Small files stay in memory, larger ones are encrypted as they arrive; plaintext never reaches the disk.
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "apps.vault.upload_handler.SealedUploadHandler",
]
AUDIT_ANCHOR_DIR = Path(environment.text("AUDIT_ANCHOR_DIR", str(DATA / "audit-anchors")))
_peppers = environment.words("API_KEY_PEPPERS", tuple(services.secret(DATA, "api-key-peppers").split()))
API_KEY_PEPPERS = dict(enumerate(_peppers, start=1))

# --- ZeroDB: a server elsewhere, or (without these) the embedded one at /zerodb/
OUTBOUND_ALLOW = environment.words("OUTBOUND_ALLOW")
# Where providers live when not where they say: {name: address}, for tests and private mirrors. Accounts can not set it.
PROVIDER_URLS: dict[str, str] = {}
# The same for where they give grants: {application: scheme and host}.
OAUTH_ORIGINS: dict[str, str] = {}
# The platform's own applications at services, for connections that bring none: {name: (client id, secret)}.
OAUTH_APPS: dict[str, tuple[str, str]] = {
    name.lower(): (environment.text(f"OAUTH_{name}_CLIENT_ID"), environment.text(f"OAUTH_{name}_CLIENT_SECRET"))
    for name in environment.between("OAUTH_", "_CLIENT_ID")
}
ZERODB_API_URL = environment.service("ZERODB_API_URL", ("/v1/public", "/api/v1", "/v1"))
ZERODB_MASTER_API_KEY = environment.text("ZERODB_MASTER_API_KEY", "")
# Seconds that a server elsewhere has: for one call in the background, and for all calls that a person waits for.
ZERODB_TIMEOUT_SECONDS = environment.integer("ZERODB_TIMEOUT_SECONDS", 30, least=1)
ZERODB_PATIENCE_SECONDS = environment.integer("ZERODB_PATIENCE_SECONDS", 4, least=1)
ZERODB_PROJECT_TIER = environment.text("ZERODB_PROJECT_TIER", "pro")
ZERODB_FREE_PROJECTS = environment.integer("ZERODB_FREE_PROJECTS", 3, least=0)
# Whether an id that nobody created is an empty project of its caller, as some clients expect.
ZERODB_IMPLICIT_PROJECTS = environment.boolean("ZERODB_IMPLICIT_PROJECTS", True)
# Whether projects may make only so many calls a minute as their tier says.
ZERODB_RATE_LIMITS = environment.boolean("ZERODB_RATE_LIMITS", False)
# Whether namespaces may hold only so many vectors as their project's tier says.
ZERODB_DOCUMENT_LIMITS = environment.boolean("ZERODB_DOCUMENT_LIMITS", True)
# Whether the keys that the vendor's tests use, which everybody knows, open anything (manage.py zerodb_demo_keys).
ZERODB_DEMO_KEYS = environment.boolean("ZERODB_DEMO_KEYS", False)
# Embedding models beside the built-in one: in a folder here, and behind an address that speaks OpenAI's protocol.
EMBEDDING_MODEL_DIR = environment.text("EMBEDDING_MODEL_DIR", "")
EMBEDDING_MODEL_NAME = environment.text("EMBEDDING_MODEL_NAME", "")
EMBEDDING_API_URL = environment.text("EMBEDDING_API_URL", "").rstrip("/")
EMBEDDING_API_KEY = environment.text("EMBEDDING_API_KEY", "")
EMBEDDING_API_MODEL = environment.text("EMBEDDING_API_MODEL", "")
EMBEDDING_API_DIMENSIONS = environment.integer("EMBEDDING_API_DIMENSIONS", 1536, least=1)

# --- people
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
# guardian's own backend asks tables that have no account; shares are asked through models that have one.
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]
ANONYMOUS_USER_NAME = None  # guardian would add a user "AnonymousUser" otherwise
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_ADAPTER = "apps.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True  # only in the browser that signed up
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # of this session; the others end because their hash no longer fits
_forms = "apps.accounts.pages.sign_in_forms."
ACCOUNT_FORMS = {
    "login": _forms + "LoginForm",
    "signup": _forms + "SignUpForm",
    "add_email": _forms + "AddEmailForm",
    "change_password": _forms + "ChangePasswordForm",
    "set_password": _forms + "SetPasswordForm",
    "reset_password": _forms + "ResetPasswordForm",
    "reset_password_from_key": _forms + "ResetPasswordKeyForm",
    "reauthenticate": _forms + "ReauthenticateForm",
}
MFA_FORMS = {
    "authenticate": _forms + "AuthenticateForm",
    "reauthenticate": _forms + "MFAReauthenticateForm",
    "activate_totp": _forms + "ActivateTOTPForm",
}
MFA_RECOVERY_CODES_SHOW_ONCE = True
USERSESSIONS_TRACK_ACTIVITY = True
USERSESSIONS_ADAPTER = "apps.accounts.signin.sessions.SessionsAdapter"
MFA_ADAPTER = "apps.vault.mfa.MFAAdapter"
# How long a session may work in the admin after its second factor was shown.
ADMIN_SECOND_FACTOR_SECONDS = environment.integer("ADMIN_SECOND_FACTOR_SECONDS", 12 * 3600, least=60)
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Strongroom"
SESSION_ENGINE = "apps.vault.sessions"  # cached_db, with secrets sealed
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"

# --- mail
DEFAULT_FROM_EMAIL = environment.text("DEFAULT_FROM_EMAIL", "Strongroom <no-reply@strongroom.example>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
if environment.is_set("EMAIL_URL"):
    globals().update(environment.email("EMAIL_URL"))

# --- API
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["apps.accounts.api.authentication.ActorAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["apps.accounts.api.access.ActionAllowed"],
    "DEFAULT_PARSER_CLASSES": ["apps.accounts.api.parsing.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["apps.accounts.api.rendering.JSONRenderer"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "apps.accounts.api.schema.ResourceSchema",
    "EXCEPTION_HANDLER": "apps.accounts.api.problems.handle",
    "URL_FORMAT_OVERRIDE": None,
}

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Strongroom API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "DESCRIPTION": "Everything an account can do, for programs. Send an API key as `Authorization: Bearer sr_…`.\n\n"
    "Lists come in pages: follow `next` and `previous`. Times are RFC 3339 in UTC, ids are UUIDs, amounts of money are "
    "decimal strings. Errors are problem details (RFC 9457) with a stable `code`.\n\n"
    "A key with `rate_limit_per_hour` gets `X-RateLimit-Limit`, `X-RateLimit-Remaining` and `X-RateLimit-Reset` (Unix "
    "time) with each answer, and 429 with `Retry-After` (seconds) when its hour is used up.",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "apps.accounts.api.schema.describe",
    ],
    "ENUM_NAME_OVERRIDES": {
        "RoleEnum": "apps.accounts.roles.Role",
        "ConversationStatusEnum": "apps.chat.models.conversation.Conversation.Status",
        "IntegrationStatusEnum": "apps.integrations.models.integration.Integration.Status",
        "TokenStatusEnum": "apps.vault.models.token.Token.Status",
    },
}

# --- pages
LANGUAGE_CODE = "en-gb"
FORMAT_MODULE_PATH = ["config.formats"]
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
CSRF_FAILURE_VIEW = "apps.accounts.pages.errors.csrf_failure"
# How many of our own proxies stand in front and add to X-Forwarded-For.
TRUSTED_PROXIES = environment.integer("TRUSTED_PROXIES", 0, least=0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"

LOG_LEVEL = environment.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOGGING = logging_settings(LOG_LEVEL, json_lines=False)
DEFAULT_EXCEPTION_REPORTER_FILTER = "apps.vault.error_reports.SealedReporterFilter"
