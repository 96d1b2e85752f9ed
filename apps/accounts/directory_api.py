"""The API resources of directories and of the groups there that mean something here."""

from typing import Any

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.urls import URLPattern
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import Directory, DirectoryGroup, DirectoryKind, Encryption, GroupKind
from apps.accounts.services.directories import configuring, mapping, testing
from apps.accounts.services.directories.conversation import Stage
from apps.accounts.services.directories.testing import Report
from apps.core.api import Creates, PortalModelViewSet, PortalViewSet, Reads, Removes, resource
from apps.core.api_fields import Flag, KnownKeys, Phrased, Strict, Text, Whole
from apps.core.api_filters import FlagFilter, IdFilter, WordsFilter
from apps.core.forms import LARGEST_ID


class AuthoritySerializer(serializers.Serializer[Any]):
    """A certificate of an authority that the servers are checked with."""

    subject = serializers.CharField()
    issuer = serializers.CharField()
    begins_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    fingerprint = serializers.CharField(help_text="SHA-256.")
    state = serializers.ChoiceField(choices=["normal", "warning", "critical"])


class DirectorySerializer(KnownKeys, serializers.ModelSerializer[Directory]):
    """Servers that know the same people. What is left empty becomes what is usual for the kind."""

    servers = serializers.ListField(
        child=Text(max_length=260),
        allow_empty=False,
        max_length=configuring.MOST_SERVERS,
        help_text="`host` or `host:port`, tried in this order.",
    )
    kind = serializers.ChoiceField(choices=DirectoryKind.choices, default=DirectoryKind.LDAP.value)
    encryption = serializers.ChoiceField(
        choices=Encryption.choices,
        default=Encryption.LDAPS.value,
        help_text="`none` only where the option ldap_allow_unencrypted allows it.",
    )
    ca_certificate = Text(
        required=False,
        allow_blank=True,
        max_length=300_000,
        help_text="PEM. Empty: the authorities that the system trusts.",
    )
    authorities = AuthoritySerializer(many=True, read_only=True)
    bind_password = serializers.CharField(
        write_only=True,
        required=False,
        allow_null=True,
        allow_blank=True,
        max_length=1000,
        trim_whitespace=False,
        help_text="Never given back. Left out or null it stays, unless it would go to another server than before.",
    )
    user_filter = Text(required=False, allow_blank=True, max_length=1000)
    username_attribute = Text(required=False, allow_blank=True, max_length=60)
    group_filter = Text(required=False, allow_blank=True, max_length=1000)
    group_kind = serializers.ChoiceField(choices=GroupKind.choices, required=False)
    verify_tls = Flag(default=True)
    nested_groups = Flag(default=True)
    let_in_unmapped = Flag(default=False)
    enabled = Flag(default=True)
    connect_timeout = Whole(default=3, min_value=1, max_value=30, help_text="Seconds.")
    answer_timeout = Whole(default=10, min_value=1, max_value=60, help_text="Seconds.")
    position = Whole(required=False, min_value=1, max_value=LARGEST_ID, help_text="The first is asked first.")
    fault = Phrased(read_only=True, help_text="What was wrong when it was asked last; empty when nothing.")
    users = serializers.SerializerMethodField(help_text="How many accounts came from it.")

    class Meta:
        model = Directory
        fields = (
            *("id", *configuring.CHANGEABLE, "position", "authorities", "users"),
            *("asked_at", "answered_at", "fault"),
        )
        read_only_fields = ("asked_at", "answered_at")

    def get_users(self, directory: Directory) -> int:
        """Count them, unless the list did."""
        counted = getattr(directory, "counted_users", None)
        return directory.users.count() if counted is None else counted


class DirectoryFilter(django_filters.FilterSet):
    """Which directories."""

    id = IdFilter()
    name = django_filters.CharFilter()
    kind = WordsFilter(choices=DirectoryKind.choices)
    enabled = FlagFilter()


class DirectoryTestSerializer(Strict):
    """Whom to ask about; without a password it is not tried."""

    username = Text(max_length=150)
    password = serializers.CharField(
        required=False, allow_null=True, allow_blank=True, max_length=1000, trim_whitespace=False, write_only=True
    )


class DirectoryDraftTestSerializer(DirectorySerializer):
    """A directory that is not kept, and whom to ask it about."""

    username = Text(max_length=150, write_only=True)
    password = serializers.CharField(
        required=False, allow_null=True, allow_blank=True, max_length=1000, trim_whitespace=False, write_only=True
    )

    class Meta:
        model = Directory
        fields = (*configuring.CHANGEABLE, "username", "password")


class DirectoryTestStepSerializer(serializers.Serializer[Any]):
    """One step of a test."""

    stage = serializers.ChoiceField(choices=[stage.value for stage in Stage])
    state = serializers.ChoiceField(choices=["done", "warning", "failed"])
    server = serializers.CharField()
    milliseconds = serializers.IntegerField()
    text = Phrased()
    words = serializers.CharField(help_text="The server's own.")


class DirectoryTestReportSerializer(serializers.Serializer[Any]):
    """What a test found."""

    lets_in = serializers.BooleanField()
    verdict = Phrased()
    username = serializers.CharField(help_text="What the user would be called here.")
    holds = serializers.ListField(child=serializers.CharField(), help_text="What his groups were granted.")
    milliseconds = serializers.IntegerField()
    steps = DirectoryTestStepSerializer(many=True)


class DirectoryViewSet(PortalModelViewSet):
    """LDAP and Active Directory servers whose users may sign in."""

    queryset = Directory.objects.all()
    serializer_class = DirectorySerializer
    filterset_class = DirectoryFilter
    search_fields = ("name", "search_base")
    reading = writing = "access"

    def get_queryset(self) -> Any:
        """Count the accounts of all with the list."""
        return super().get_queryset().annotate(counted_users=Count("users")).order_by("position", "name")

    def perform_create(self, serializer: Any) -> Directory:
        """Keep a directory."""
        fields = dict(serializer.validated_data)
        position = fields.pop("position", None)
        made = configuring.create(fields, self.actor)
        if position is not None:
            configuring.place(made, position, self.actor)
        return made

    def perform_update(self, serializer: Any) -> None:
        """Change a directory, and its place where one is given."""
        fields = dict(serializer.validated_data)
        position = fields.pop("position", None)
        if fields:
            configuring.change(serializer.instance, fields, self.actor)
        if position is not None:
            configuring.place(serializer.instance, position, self.actor)

    def perform_destroy(self, found: Directory) -> None:
        """Remove a directory with the accounts that came from it."""
        configuring.remove(found, self.actor)

    @extend_schema(request=DirectoryTestSerializer, responses={200: DirectoryTestReportSerializer})
    @action(detail=True, methods=["post"], url_path="test", serializer_class=DirectoryTestSerializer)
    def test(self, request: Request, pk: int) -> Response:
        """Ask this directory about a user, step by step; nothing is kept, nobody is signed in."""
        found = self.get_object()
        sent = DirectoryTestSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        asked = sent.validated_data
        return self._report(found, asked["username"], asked.get("password"))

    @extend_schema(
        operation_id="directories_test_draft",
        request=DirectoryDraftTestSerializer,
        responses={200: DirectoryTestReportSerializer},
    )
    @action(detail=False, methods=["post"], url_path="test", serializer_class=DirectoryDraftTestSerializer)
    def test_draft(self, request: Request) -> Response:
        """Ask a directory that is not kept about a user, step by step."""
        sent = DirectoryDraftTestSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        fields = dict(sent.validated_data)
        username, password = fields.pop("username"), fields.pop("password", None)
        return self._report(configuring.draft(fields), username, password)

    def _report(self, directory: Directory, username: str, password: str | None) -> Response:
        report: Report = testing.test(directory, username, password)
        testing.note(directory, username, report, self.actor)
        return Response(DirectoryTestReportSerializer(report).data, headers={"Cache-Control": "no-store"})


class DirectoryGroupSerializer(KnownKeys, serializers.ModelSerializer[DirectoryGroup]):
    """A group of a directory that roles can be granted to."""

    dn = Text(max_length=1000, required=False, allow_blank=True)
    name = Text(
        max_length=200,
        required=False,
        allow_blank=True,
        help_text="Without a `dn`, the group of this name is looked for in the directory.",
    )
    members = serializers.SerializerMethodField(help_text="How many of our users are in it, as last seen.")

    class Meta:
        model = DirectoryGroup
        fields = ("id", "directory", "dn", "name", "members")

    def get_members(self, group: DirectoryGroup) -> int:
        """Count them, unless the list did."""
        counted = getattr(group, "counted_members", None)
        return group.members.count() if counted is None else counted

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Want one of the two names."""
        if not attrs.get("dn") and not attrs.get("name"):
            raise serializers.ValidationError({"dn": [_("Enter the distinguished name or the name of the group.")]})
        return attrs


class DirectoryGroupFilter(django_filters.FilterSet):
    """Which groups of directories."""

    id = IdFilter()
    directory = IdFilter()
    name = django_filters.CharFilter()
    dn = django_filters.CharFilter(lookup_expr="iexact")


class DirectoryGroupViewSet(Reads, Creates, Removes, mixins.ListModelMixin, PortalViewSet):
    """Groups of directories; what they hold are grants whose holder is `directory_group`."""

    queryset = DirectoryGroup.objects.select_related("directory")
    serializer_class = DirectoryGroupSerializer
    filterset_class = DirectoryGroupFilter
    search_fields = ("name", "dn")
    reading = writing = "access"

    def get_queryset(self) -> Any:
        """Count the members of all with the list."""
        return (
            super()
            .get_queryset()
            .annotate(counted_members=Count("members"))
            .order_by("directory__position", "name", "pk")
        )

    def perform_create(self, serializer: Any) -> DirectoryGroup:
        """Make a group known; without a distinguished name the directory is asked for it."""
        sent = serializer.validated_data
        if sent.get("dn"):
            return mapping.add(sent["directory"], sent["dn"], self.actor, name=sent.get("name", ""))
        try:
            found = mapping.find(sent["directory"], sent["name"])
        except ValidationError as error:
            raise ValidationError({"name": error.messages}) from error
        return mapping.add(sent["directory"], found.dn, self.actor, name=found.name)

    def perform_destroy(self, found: DirectoryGroup) -> None:
        """Forget a group with what it was granted."""
        mapping.remove(found, self.actor)


routes: list[URLPattern] = [
    *resource("directories", DirectoryViewSet, "directory"),
    *resource("directory-groups", DirectoryGroupViewSet, "directory-group"),
]
