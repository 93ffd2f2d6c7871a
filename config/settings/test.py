"""Settings of the tests: as local, but quick where slowness is the point (password hashing)."""

from config.settings.local import *

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
