import apps.accounts.identifiers
import apps.accounts.tenancy.scope
import django.db.models.deletion
from django.db import migrations, models

from apps.accounts.tenancy.operations import ProtectTable


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0007_price_free'),
    ]

    operations = [
        migrations.CreateModel(
            name='LiveNumber',
            fields=[
                ('id', models.UUIDField(default=apps.accounts.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('number', models.PositiveBigIntegerField(default=0)),
                ('account', models.ForeignKey(db_index=False, default=apps.accounts.tenancy.scope.current_account_id, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('account',), name='live_number_once')],
            },
        ),
        ProtectTable("livenumber"),
    ]
