"""Whether the files that pages name can be served."""

from __future__ import annotations

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage, staticfiles_storage


class NotCollected(RuntimeError):
    """Every page would fail, the page that says so too."""


def require_static_files() -> None:
    """Called by every process that serves pages, before it does. Raises NotCollected.

    With a manifest (production) the names in pages come from the last `collectstatic`; without one, files are
    served from where they lie.
    """
    storage = staticfiles_storage
    if isinstance(storage, ManifestStaticFilesStorage) and not storage.hashed_files:
        raise NotCollected(
            f"The static files have not been collected into {storage.location}. "
            "Run once for each version: python manage.py collectstatic --noinput"
        )
