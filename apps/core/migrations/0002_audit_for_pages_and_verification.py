"""Gives audit entries what the page filters by and the groups that they concerned, and the chain its memory.

What was sealed before keeps form 1: its digest covers fewer facts.
"""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Value
from django.db.models.functions import StrIndex, Substr


def fill(apps, schema_editor):
    """Derive what is new of entries that are there."""
    entries = apps.get_model("core", "AuditEntry").objects
    family = Substr("action", 1, StrIndex("action", Value(".")) - 1)
    entries.update(login=F("actor_name"), family=F("action"))
    entries.filter(action__contains=".").update(family=family)


KINDS = [
    ("user", "User"),
    ("token", "API token"),
    ("command", "Command line"),
    ("schedule", "Schedule"),
    ("system", "The portal itself"),
]
INDEXES = {
    "core_audit_at": ["at", "id"],
    "core_audit_login": ["login", "at", "id"],
    "core_audit_family": ["family", "at", "id"],
    "core_audit_action": ["action", "at", "id"],
    "core_audit_object": ["object_type", "object_id", "at", "id"],
    "core_audit_address": ["address", "at", "id"],
    "core_audit_outcome": ["outcome", "at", "id"],
    "core_audit_kind": ["actor_kind", "at", "id"],
    "core_audit_group": ["group", "at", "id"],
}


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("core", "0001_initial"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="auditentry",
            options={
                "ordering": ["-at", "-pk"],
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit entries",
            },
        ),
        migrations.RemoveIndex(model_name="auditentry", name="core_audit_object"),
        migrations.AlterField(
            model_name="auditentry",
            name="at",
            field=models.DateTimeField(default=django.utils.timezone.now, verbose_name="time"),
        ),
        migrations.AlterField(
            model_name="auditentry", name="action", field=models.CharField(max_length=60, verbose_name="action")
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="actor_kind",
            field=models.CharField(choices=KINDS, max_length=12, verbose_name="kind of actor"),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="user",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="user",
            ),
        ),
        migrations.AddField(
            model_name="auditentry",
            name="login",
            field=models.CharField(default="", max_length=300, verbose_name="user name"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="auditentry",
            name="family",
            field=models.CharField(default="", max_length=60, verbose_name="kind of action"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="auditentry",
            name="request",
            field=models.CharField(blank=True, default="", max_length=200, verbose_name="request"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="auditentry",
            name="group",
            field=models.PositiveBigIntegerField(blank=True, null=True, verbose_name="group"),
        ),
        migrations.AddField(
            model_name="auditentry",
            name="former_group",
            field=models.PositiveBigIntegerField(blank=True, null=True, verbose_name="former group"),
        ),
        migrations.AddField(
            model_name="auditentry",
            name="form",
            field=models.PositiveSmallIntegerField(default=1, editable=False, verbose_name="form"),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="form",
            field=models.PositiveSmallIntegerField(default=2, editable=False, verbose_name="form"),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
        *(
            migrations.AddIndex(model_name="auditentry", index=models.Index(fields=fields, name=name))
            for name, fields in INDEXES.items()
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                condition=models.Q(former_group__isnull=False),
                fields=["former_group", "at", "id"],
                name="core_audit_former",
            ),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(condition=models.Q(sequence=None), fields=["id"], name="core_audit_unsealed"),
        ),
        migrations.CreateModel(
            name="AuditChain",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sealed_sequence", models.PositiveBigIntegerField(default=0, verbose_name="last sealed")),
                ("sealed_digest", models.CharField(blank=True, max_length=64)),
                ("sealed_at", models.DateTimeField(blank=True, null=True, verbose_name="sealed")),
                ("removed_sequence", models.PositiveBigIntegerField(default=0, verbose_name="removed up to")),
                ("removed_digest", models.CharField(blank=True, max_length=64)),
                (
                    "removed_until",
                    models.DateTimeField(blank=True, null=True, verbose_name="time of the last removed"),
                ),
                ("removed_at", models.DateTimeField(blank=True, null=True, verbose_name="removed")),
                ("verified_sequence", models.PositiveBigIntegerField(default=0, verbose_name="verified up to")),
                ("verified_digest", models.CharField(blank=True, max_length=64)),
                ("verified_at", models.DateTimeField(blank=True, null=True, verbose_name="verified")),
                ("walk_sequence", models.PositiveBigIntegerField(default=0)),
                ("walk_digest", models.CharField(blank=True, max_length=64)),
                ("walk_since", models.DateTimeField(blank=True, null=True)),
                ("walked_at", models.DateTimeField(blank=True, null=True, verbose_name="walked through")),
                ("broken_sequence", models.PositiveBigIntegerField(blank=True, null=True, verbose_name="broken at")),
                (
                    "broken_why",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("changed", "This entry was changed."),
                            ("gap", "Entries are missing before this one."),
                            ("cut", "Entries are missing at the end, from this one on."),
                            ("rewritten", "This entry is not the one that was sealed."),
                            (
                                "removed",
                                "Entries up to this one were removed, and the audit does not say by whom.",
                            ),
                        ],
                        default="",
                        max_length=10,
                    ),
                ),
                ("broken_at", models.DateTimeField(blank=True, null=True, verbose_name="found broken")),
            ],
            options={
                "verbose_name": "chain of the audit",
                "verbose_name_plural": "chain of the audit",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("pk", 1)), name="core_auditchain_one"),
                ],
            },
        ),
        migrations.CreateModel(
            name="FoldedRefusals",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("network", models.CharField(max_length=50)),
                ("action", models.CharField(max_length=60)),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
            ],
            options={
                "verbose_name": "folded refusals",
                "verbose_name_plural": "folded refusals",
                "constraints": [
                    models.UniqueConstraint(fields=["network", "action"], name="core_foldedrefusals_once"),
                ],
            },
        ),
    ]
