"""What a person may change about themselves."""

from __future__ import annotations

from apps.accounts.models import User
from apps.accounts.names import check_name


def update_profile(user: User, **values: str) -> User:
    """Set any of name and theme. Raises ValidationError naming the field."""
    unknown = set(values) - {"name", "theme"}
    if unknown:
        raise TypeError(f"Not a person's own to change: {', '.join(sorted(unknown))}")
    for name, value in values.items():
        setattr(user, name, value.strip())
    check_name(user.name)
    user.clean_fields(exclude=[field.name for field in User._meta.fields if field.name not in values])
    user.save(update_fields=list(values))
    return user
