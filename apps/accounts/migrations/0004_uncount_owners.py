from typing import ClassVar

from django.db import migrations

from apps.accounts.tenancy.operations import UncountOwners


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0003_invitation_mail")]

    operations: ClassVar = [UncountOwners()]
