"""Settings of `make run`: everything on this machine, nothing to set."""

from config import environment
from config.settings.base import *

DEBUG = environment.boolean("DEBUG", default=False)
SECRET_KEY = SECRET_KEY or "only-for-commands-before-the-first-start"
API_KEY_PEPPERS = API_KEY_PEPPERS or {1: SECRET_KEY}
VAULT_MASTER_KEY_URI = environment.text("VAULT_MASTER_KEY_URI", f"local://{DATA}/secrets/master-key.json")
if not environment.is_set("EMAIL_URL"):
    EMAIL_BACKEND = "apps.accounts.mailbox.backend.MailboxBackend"
    MAILBOX_DIR = DATA / "mail"
CRASH_POINTS = True  # tests kill this product at named places (apps/accounts/crash_points.py)
# Static files straight from their folders: no collecting step between a change and the page.
WHITENOISE_USE_FINDERS = True
