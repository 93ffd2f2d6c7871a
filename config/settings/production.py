"""Settings of a real installation: nothing has a default that could be guessed."""

from django.core.exceptions import ImproperlyConfigured

from config import environment
from config.settings.base import *

if environment.boolean("DEBUG", default=False):
    raise ImproperlyConfigured("DEBUG can't be on in production.")
SECRET_KEY = environment.text("SECRET_KEY")
if len(SECRET_KEY) < 32:
    raise ImproperlyConfigured("SECRET_KEY must have at least 32 characters.")
API_KEY_PEPPERS = dict(enumerate(environment.words("API_KEY_PEPPERS"), start=1))
if not API_KEY_PEPPERS:
    raise ImproperlyConfigured("Set API_KEY_PEPPERS (or API_KEY_PEPPERS_FILE).")
SECURE_SSL_REDIRECT = environment.boolean("SECURE_SSL_REDIRECT", default=True)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
