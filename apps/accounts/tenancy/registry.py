"""What is owned by whom, and what is owned by nobody and why.

The start-up check, ``manage.py check_isolation`` and the isolation tests read this file: a table with an
owner column that is not protected, or a model that is neither owned nor listed here, is a fault.
"""

from django.apps import apps

from apps.accounts.tenancy.scope import ACCOUNT_WALL, Wall

_walls: dict[str, Wall] = {ACCOUNT_WALL.setting: ACCOUNT_WALL}


def register_wall(wall: Wall) -> Wall:
    """Add a kind of owner (an app does this in its own tenancy module). Raises ValueError on a duplicate."""
    if wall.setting in _walls and _walls[wall.setting] is not wall:
        raise ValueError(f"A wall for {wall.setting} exists already.")
    _walls[wall.setting] = wall
    return wall


def walls() -> dict[str, Wall]:
    """All kinds of owner by the name of their setting."""
    return dict(_walls)


def owned_columns() -> dict[str, tuple[str, str]]:
    """For each owned table its owner's column and the setting of its wall, from the models' managers."""
    owned: dict[str, tuple[str, str]] = {}
    for model in apps.get_models():
        wall = getattr(model._default_manager, "wall", None)
        if isinstance(wall, Wall):
            owned[model._meta.db_table] = (wall.column, wall.setting)
    return owned


# Models that belong to no account, each with the reason. Labels are lower case, "app.model".
GLOBAL_MODELS: dict[str, str] = {
    "accounts.user": "a person may be a member of several accounts",
    "accounts.price": "what units cost, the same for all accounts; written by the platform role alone",
    "accounts.featurestage": "how far a feature is let out, the same for all; written by the platform role alone",
    "account.emailaddress": "allauth: belongs to a person",
    "account.emailconfirmation": "allauth: belongs to a person",
    "mfa.authenticator": "allauth: belongs to a person; its secrets are encrypted by the vault",
    "usersessions.usersession": "allauth: belongs to a person",
    "otp_static.staticdevice": "django-otp: break-glass device of a super admin",
    "otp_static.statictoken": "django-otp: break-glass token of a super admin",
    "sessions.session": "exists before an account is chosen",
    "admin.logentry": "Django admin history: platform staff only",
    "auth.permission": "schema of Django's permissions, no data",
    "auth.group_permissions": "unused by accounts: roles live in Membership",
    "accounts.user_groups": "unused by accounts: roles live in Membership",
    "accounts.user_user_permissions": "unused by accounts: roles live in Membership",
    "auth.group": "unused by accounts: roles live in Membership",
    "vault.platformkeyset": "the platform's own wrapped keys",
    "vault.platformauditentry": "the operator's own trail: readable by the platform role alone",
    "vault.platformaudithead": "the operator's own trail: readable by the platform role alone",
    "contenttypes.contenttype": "schema of models, no data",
    "guardian.userobjectpermission": "unused: object shares use direct models with an account",
    "guardian.groupobjectpermission": "unused: object shares use direct models with an account",
}

# Unique indexes of owned tables that span owners on purpose, each with the reason. A refused write tells the writer
# that another owner has the value, so only what no tenant chooses may be here.
SPANNING_INDEXES: dict[str, str] = {
    "ainative_project_of_one_account": "two accounts must never share a project at the service; the service and the "
    "operator give these ids, no tenant does",
}
