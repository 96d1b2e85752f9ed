"""The API resource of the certificate of HTTPS."""

import base64
import binascii
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import options
from apps.core.api import PortalViewSet, sent
from apps.core.api_fields import Flag, Nothing, Strict, Text, Whole
from apps.core.api_filters import refuse_unknown_parameters
from apps.system.models import Certificate, CertificateRequest
from apps.system.tls import checking, services
from apps.system.tls.importing import LARGEST
from apps.system.tls.material import DEFAULT_KIND, KINDS, Wish
from apps.system.tls.words import HTTPS


class CertificateSerializer(serializers.ModelSerializer[Certificate]):
    """A certificate; ``chain`` is PEM, the key is never told."""

    key = serializers.CharField(source="key_kind")
    days_left = serializers.SerializerMethodField()

    class Meta:
        model = Certificate
        fields = (
            *("own", "subject", "names", "issuer", "serial", "fingerprint", "key", "not_before", "not_after"),
            *("days_left", "chain"),
        )
        read_only_fields = fields

    def get_days_left(self, row: Certificate) -> int:
        """Give the whole days until its end."""
        return row.days_left(timezone.now())


class FindingSerializer(serializers.Serializer[Any]):
    """What is wrong with HTTPS, and what to do; ``grade`` is doubtful or forbidden."""

    grade = serializers.CharField()
    found = serializers.CharField()
    remedy = serializers.CharField()


class StandingSerializer(serializers.Serializer[Any]):
    """HTTPS as it stands; null: there is none."""

    https = serializers.BooleanField()
    certificate = CertificateSerializer(allow_null=True)
    authority = CertificateSerializer(allow_null=True)
    requested_at = serializers.DateTimeField(allow_null=True)
    findings = FindingSerializer(many=True)


class WishSerializer(Strict):
    """What a certificate is to be like; what is left out is as usual for this machine."""

    common_name = Text(required=False, max_length=64)
    names = serializers.ListField(child=Text(max_length=253), required=False, max_length=100)
    key = serializers.ChoiceField(list(KINDS), required=False)

    def wish(self, days: int) -> Wish:
        """Give the wish; raises ValidationError by field."""
        sent = self.validated_data
        names = sent.get("names") or services.usual_names()
        return Wish.of(sent.get("common_name") or names[0][:64], names, sent.get("key", DEFAULT_KIND), days)


class CreateSerializer(WishSerializer):
    """A certificate that our own authority signs."""

    days = Whole(required=False, min_value=services.SHORTEST, max_value=services.LONGEST)
    new_authority = Flag(required=False)


class ImportSerializer(Strict):
    """PEM as text, or PKCS12 (PEM, too) in base64; one of the two."""

    pem = Text(required=False, max_length=LARGEST, trim_whitespace=False)
    pkcs12 = Text(required=False, max_length=LARGEST * 2)
    password = Text(required=False, allow_blank=True, max_length=1000, trim_whitespace=False, write_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take one file."""
        if ("pem" in attrs) == ("pkcs12" in attrs):
            raise serializers.ValidationError(_("Send either pem or pkcs12."))
        try:
            attrs["data"] = (
                attrs["pem"].encode() if "pem" in attrs else base64.b64decode(attrs["pkcs12"], validate=True)
            )
        except binascii.Error as error:
            raise serializers.ValidationError({"pkcs12": _("This is not base64.")}) from error
        return attrs


class TakenSerializer(serializers.Serializer[Any]):
    """What was imported, and what browsers may not like about it."""

    certificate = CertificateSerializer()
    warnings = serializers.ListField(child=serializers.CharField())


class RequestSerializer(serializers.ModelSerializer[CertificateRequest]):
    """A request that waits for its certificate."""

    class Meta:
        model = CertificateRequest
        fields = ("subject", "pem", "made_at")
        read_only_fields = fields


class CertificateViewSet(PortalViewSet):
    """The certificate of HTTPS; for those who may set the portal."""

    serializer_class = StandingSerializer
    queryset = Certificate.objects.none()
    reading = writing = "settings"
    filter_backends = ()
    pagination_class = None

    @extend_schema(responses=forced_singular_serializer(StandingSerializer))
    def list(self, request: Request) -> Response:
        """Tell how HTTPS stands."""
        refuse_unknown_parameters(request, self)
        waiting = services.pending()
        since: datetime | None = waiting.made_at if waiting else None
        standing = {
            "https": options.get(HTTPS),
            **services.described(),
            "requested_at": since,
            "findings": [each for each in checking.findings() if each.grade != checking.WELL],
        }
        return Response(self.get_serializer(standing).data)

    @extend_schema(request=CreateSerializer, responses={201: CertificateSerializer})
    def create(self, request: Request) -> Response:
        """Make a certificate; the authority is made with the first one."""
        given = CreateSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wish = given.wish(given.validated_data.get("days", services.USUAL_DAYS))
        made = services.create(wish, self.actor, new_authority=given.validated_data.get("new_authority", False))
        return Response(CertificateSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ImportSerializer, responses={201: TakenSerializer})
    def take(self, request: Request) -> Response:
        """Import a certificate that another authority signed."""
        file = ImportSerializer(data=request.data)
        file.is_valid(raise_exception=True)
        given = file.validated_data
        try:
            taken, warnings = services.take(given["data"], given.get("password"), self.actor)
        except ValidationError as error:
            field = "pem" if "pem" in given else "pkcs12"
            raise serializers.ValidationError({field: error.messages}) from error
        answer = TakenSerializer({"certificate": taken, "warnings": warnings})
        return Response(answer.data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=CertificateSerializer)
    def renew(self, request: Request) -> Response:
        """Make the own certificate anew."""
        Nothing(data=sent(request)).is_valid(raise_exception=True)
        return Response(CertificateSerializer(services.renew(self.actor)).data)

    @extend_schema(responses=RequestSerializer)
    def waiting(self, request: Request) -> Response:
        """Give the request that waits."""
        refuse_unknown_parameters(request, self)
        found = services.pending()
        if found is None:
            raise Http404
        return Response(RequestSerializer(found).data)

    @extend_schema(request=WishSerializer, responses={201: RequestSerializer})
    def request_one(self, request: Request) -> Response:
        """Make a key and a request for another authority."""
        given = WishSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        made = services.request(given.wish(services.USUAL_DAYS), self.actor)
        return Response(RequestSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def forget(self, request: Request) -> Response:
        """Forget the request that waits, with its key."""
        services.forget_request(self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)


routes: list[URLPattern] = [
    path("certificate/", CertificateViewSet.as_view({"get": "list", "post": "create"}), name="certificate"),
    path("certificate/import/", CertificateViewSet.as_view({"post": "take"}), name="certificate-import"),
    path("certificate/renew/", CertificateViewSet.as_view({"post": "renew"}), name="certificate-renew"),
    path(
        "certificate/request/",
        CertificateViewSet.as_view({"get": "waiting", "post": "request_one", "delete": "forget"}),
        name="certificate-request",
    ),
]
