"""Floor 3: providers, connections, outbound HTTP, ZeroDB."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Floor 3: providers, connections, outbound HTTP, ZeroDB."""

    name = "apps.integrations"
    label = "integrations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.integrations import checks  # noqa: F401 - registers the checks
