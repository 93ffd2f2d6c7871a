"""Every outside service that an account can connect: one folder each, found by the registry.

A folder ``providers/<name>/`` holds ``definition.py`` (what the service is and asks for: ``PROVIDER``), ``client.py``
(``Client``: how it is called), ``icon.svg`` and, for its tests, ``answers/``. Nothing outside of the folder names the
provider: forms, API schema, admin, documents and workflow nodes are made from the definition.
"""

from apps.integrations.providers.categories import CATEGORIES, Category
from apps.integrations.providers.definition import CredentialField, Option, Provider, SettingField
from apps.integrations.providers.registry import UnknownProvider, provider, providers

__all__ = [
    "CATEGORIES",
    "Category",
    "CredentialField",
    "Option",
    "Provider",
    "SettingField",
    "UnknownProvider",
    "provider",
    "providers",
]
