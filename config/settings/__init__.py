"""Settings: base, and what local, test and production change. DJANGO_SETTINGS_MODULE chooses."""
