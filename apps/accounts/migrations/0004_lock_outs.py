from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_teams"),
    ]

    operations = [
        migrations.CreateModel(
            name="LockOut",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("account", "Account"), ("address", "Address")], max_length=8, verbose_name="kind"
                    ),
                ),
                ("name", models.CharField(max_length=150, verbose_name="name")),
                ("browser", models.CharField(blank=True, default="", max_length=32, verbose_name="browser")),
                ("failures", models.PositiveIntegerField(default=0, verbose_name="failed sign-ins")),
                ("last_failed_at", models.DateTimeField(verbose_name="last failed")),
                ("locked_until", models.DateTimeField(blank=True, null=True, verbose_name="locked until")),
                ("refused", models.PositiveIntegerField(default=0, editable=False)),
                ("refusal_told_at", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "verbose_name": "lock-out",
                "verbose_name_plural": "lock-outs",
                "ordering": ["-last_failed_at", "-pk"],
                "indexes": [models.Index(fields=["last_failed_at"], name="accounts_lockout_last")],
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "name", "browser"), name="accounts_lockout_once")
                ],
            },
        ),
    ]
