"""Addresses of this floor's resources, below /api/v1/."""

from django.urls import path

from apps.integrations.api import project

urlpatterns = [
    path("project", project.ProjectView.as_view(), name="project"),
    path("project/provision", project.ProjectProvisionView.as_view(), name="project_provision"),
    path("project/settings", project.ProjectSettingsView.as_view(), name="project_settings"),
]
