import apps.accounts.identifiers
import apps.accounts.tenancy.models
import apps.accounts.tenancy.scope
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from apps.accounts.tenancy.operations import ProtectTable


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Shelf',
            fields=[
                ('id', models.UUIDField(default=apps.accounts.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('name', models.CharField(max_length=40)),
                ('account', models.ForeignKey(db_index=False, default=apps.accounts.tenancy.scope.current_account_id, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Book',
            fields=[
                ('id', models.UUIDField(default=apps.accounts.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('title', models.CharField(max_length=80)),
                ('pages', models.PositiveIntegerField(default=1)),
                ('account', models.ForeignKey(db_index=False, default=apps.accounts.tenancy.scope.current_account_id, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('follows', apps.accounts.tenancy.models.TenantForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='followers', to='shelves.book')),
                ('reader', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='borrowed_books', to=settings.AUTH_USER_MODEL)),
                ('shelf', apps.accounts.tenancy.models.TenantForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='books', to='shelves.shelf')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.AddConstraint(
            model_name='shelf',
            constraint=models.UniqueConstraint(fields=('account', 'name'), name='shelf_name_once'),
        ),
        ProtectTable('shelf'),
        ProtectTable('book'),
    ]
