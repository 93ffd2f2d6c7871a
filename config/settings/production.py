"""Settings of a real installation: nothing has a default that could be guessed."""

from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config import environment
from config.logging import logging_settings
from config.settings.base import *

for _name in ("DATABASE_URL", "REDIS_URL", "VAULT_MASTER_KEY_URI", "BASE_URL", "ALLOWED_HOSTS", "EMAIL_URL"):
    if not environment.is_set(_name):
        raise ImproperlyConfigured(f"Set {_name} (or {_name}_FILE).")
if environment.boolean("DEBUG", default=False):
    raise ImproperlyConfigured("DEBUG can't be on in production.")
SECRET_KEY = environment.secret("SECRET_KEY")
SECRET_KEY_FALLBACKS = environment.words("SECRET_KEY_FALLBACKS")
API_KEY_PEPPERS = dict(enumerate(environment.words("API_KEY_PEPPERS"), start=1))
if not API_KEY_PEPPERS:
    raise ImproperlyConfigured("Set API_KEY_PEPPERS (or API_KEY_PEPPERS_FILE).")

DEFAULT_FROM_EMAIL = environment.text("DEFAULT_FROM_EMAIL", f"Strongroom <no-reply@{urlsplit(BASE_URL).hostname}>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

CSRF_TRUSTED_ORIGINS = environment.words("CSRF_TRUSTED_ORIGINS", (BASE_URL,))
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
SECURE_SSL_REDIRECT = environment.boolean("SECURE_SSL_REDIRECT", default=True)
# Believed only when the operator says that a proxy of theirs stands in front and sets it: anybody can send it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_HSTS_SECONDS = environment.integer("SECURE_HSTS_SECONDS", 31_536_000, least=0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = environment.boolean("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=True)
SECURE_HSTS_PRELOAD = environment.boolean("SECURE_HSTS_PRELOAD", default=True)

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
LOGGING = logging_settings(LOG_LEVEL, json_lines=True)
