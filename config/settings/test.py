"""Settings of the tests: as local, but quick where slowness is the point (password hashing)."""

from config.settings.local import *

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# Two tables that the tests of tenancy write to.
INSTALLED_APPS = [*INSTALLED_APPS, "tests.accounts.tenancy.shelves.apps.ShelvesConfig"]
