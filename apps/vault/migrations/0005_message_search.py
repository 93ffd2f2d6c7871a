import apps.accounts.identifiers
import apps.accounts.tenancy.scope
import django.db.models.deletion
from django.db import migrations, models

from apps.accounts.tenancy.operations import ProtectTable


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_metering'),
        ('vault', '0004_token'),
    ]

    operations = [
        migrations.CreateModel(
            name='MessageSearch',
            fields=[
                ('id', models.UUIDField(default=apps.accounts.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('enabled', models.BooleanField(default=True)),
                ('language', models.CharField(default='english', max_length=40)),
                ('building', models.BooleanField(default=False)),
                ('account', models.ForeignKey(db_index=False, default=apps.accounts.tenancy.scope.current_account_id, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('account',), name='message_search_once')],
            },
        ),
        ProtectTable("messagesearch"),
    ]
