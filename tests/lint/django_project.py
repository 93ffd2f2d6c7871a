"""What Django itself can tell about the tree without a database."""

from __future__ import annotations

from pathlib import Path

from django.apps import apps
from django.core.checks import run_checks
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.template import TemplateSyntaxError, engines
from django.template.loader import get_template

ROOT = Path(__file__).resolve().parent.parent.parent


def system_checks() -> list[str]:
    """Messages of `manage.py check`, warnings included."""
    return [str(message).replace("\n", " ") for message in run_checks() if not message.is_silenced()]


def missing_migrations() -> list[str]:
    """Changes of models that no migration makes, as `makemigrations --check` would find, and branches not merged."""
    loader = MigrationLoader(None)
    faults = [f"{app}: leaves {', '.join(names)} (merge them)" for app, names in loader.detect_conflicts().items()]
    detector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps))
    for app, migrations in detector.changes(graph=loader.graph).items():
        if not apps.get_app_config(app).path.startswith(str(ROOT / ".venv")):
            faults += [
                f"{app}: {operation.describe()}" for migration in migrations for operation in migration.operations
            ]
    return faults


def broken_templates() -> list[str]:
    """Our templates that do not compile, or extend or include (by a literal name) one that does not exist."""
    folder = ROOT / "templates"
    faults = []
    for path in sorted(path for path in folder.rglob("*") if path.suffix in {".html", ".txt", ".xml"}):
        name = str(path.relative_to(folder))
        try:
            template = get_template(name)
            for node in template.template.nodelist.get_nodes_by_type(object):  # type: ignore[attr-defined]
                reference = getattr(node, "parent_name", None) or getattr(node, "template", None)
                literal = getattr(reference, "var", None)
                if isinstance(literal, str):
                    engines["django"].get_template(literal)
        except (TemplateSyntaxError, UnicodeDecodeError) as error:
            faults.append(f"templates/{name}: {error}")
        except Exception as error:
            faults.append(f"templates/{name}: {type(error).__name__}: {error}")
    return faults
