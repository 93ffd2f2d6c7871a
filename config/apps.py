"""The project itself, as an application: home of the checks that belong to no floor."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """Checks of the settings."""

    name = "config"
    verbose_name = "Project"

    def ready(self) -> None:
        from config import checks  # noqa: F401 - registers them
