"""The ways a path names a project, as one path converter.

The same store is reached as ``/{project_id}/embeddings/…``, ``/projects/{project_id}/embeddings/…`` and
``/embeddings/…`` with the header ``X-Project-ID`` (or the project of the key).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from django.urls import register_converter
from django.urls.converters import StringConverter

# A first segment with one of these words is never a project id.
LITERALS = ("projects", "embeddings", "vectors", "database", "auth", "health")
_DIRECT = rf"(?!(?:{'|'.join(LITERALS)})/)[^/]+/"


class Form(Enum):
    """How the path named the project."""

    DIRECT = "/{project_id}/…"
    PROJECTS = "/projects/{project_id}/…"
    HEADER = "no project in the path"
    CALL = "named in a remote call"


@dataclass(frozen=True)
class ProjectReference:
    """The project a path names; ``project_id`` is None when the header or the key decides."""

    form: Form
    project_id: str | None = None


class AnyScope:
    """``/{id}/``, ``/projects/{id}/`` or nothing."""

    regex = rf"(?:projects/[^/]+/|{_DIRECT})?"

    def to_python(self, value: str) -> ProjectReference:
        """'' → by header, 'projects/x/' and 'x/' → project x."""
        if not value:
            return ProjectReference(Form.HEADER)
        if value.startswith("projects/"):
            return ProjectReference(Form.PROJECTS, value.removeprefix("projects/")[:-1])
        return ProjectReference(Form.DIRECT, value[:-1])

    def to_url(self, value: ProjectReference | str) -> str:
        """The path's beginning for a reference."""
        if isinstance(value, str):
            return value
        if value.form is Form.HEADER:
            return ""
        return f"{'projects/' if value.form is Form.PROJECTS else ''}{value.project_id}/"


class DirectOrHeader(AnyScope):
    """``/{id}/`` or nothing: for paths that never stand under ``/projects/``."""

    regex = rf"(?:{_DIRECT})?"


class Direct(AnyScope):
    """``/{id}/`` alone."""

    regex = _DIRECT


class DirectOrProjects(AnyScope):
    """``/{id}/`` or ``/projects/{id}/``."""

    regex = rf"(?:projects/[^/]+/|{_DIRECT})"


class Nothing(AnyScope):
    """No project in the path at all."""

    regex = ""


class ModelName(StringConverter):
    """A model name, which may hold a slash."""

    regex = r".+"


def register() -> None:
    """Make the converters known to ``path()`` under names of their own."""
    register_converter(AnyScope, "zerodb_scope")
    register_converter(DirectOrHeader, "zerodb_direct_or_header")
    register_converter(Direct, "zerodb_direct")
    register_converter(DirectOrProjects, "zerodb_direct_or_projects")
    register_converter(Nothing, "zerodb_nothing")
    register_converter(ModelName, "zerodb_model")
