"""Settings of the tests: as local, but quick where slowness is the point (password hashing)."""

from config.settings.local import *

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Every client of a test has its own chain of middleware: it must not list all static files when it is made.
WHITENOISE_AUTOREFRESH = True
# A test types a code as it was a moment ago, and that moment may have been in the half minute before.
MFA_TOTP_TOLERANCE = 1
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# Tables that the tests of tenancy, and those of word search, write to.
INSTALLED_APPS = [
    *INSTALLED_APPS,
    "tests.accounts.tenancy.shelves.apps.ShelvesConfig",
    "tests.vault.messages.letters.apps.LettersConfig",
]


class _Nowhere(dict[str, str]):
    """No test calls a provider by accident: those without a stand-in live at a name that does not exist (RFC 6761)."""

    def get(self, name: str, default: str | None = None) -> str:  # type: ignore[override]
        return super().get(name, f"https://{name.replace('_', '-')}.invalid")


PROVIDER_URLS = _Nowhere()
OAUTH_ORIGINS = _Nowhere()
OAUTH_APPS = {}
