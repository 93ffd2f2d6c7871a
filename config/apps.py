"""The project itself, as an application: home of the checks that belong to no floor."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """Checks of the settings, and the broker: without our application Celery's own default would be asked."""

    name = "config"
    verbose_name = "Project"

    def ready(self) -> None:
        from config import celery, checks  # noqa: F401 - says where messages go; registers them
