"""What runs here: every library with its licence, and headings that mean the same in either language."""

import re

import pytest
from django.utils import timezone

from apps.core.models import AuditEntry, Job
from apps.system.bundle import orders
from apps.system.models import SupportBundle
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_every_library_names_its_licence(client):
    client.force_login(make_user("administrator"))
    libraries = {one.name: one.licence for one in client.get("/about/").context["libraries"]}
    assert [name for name, licence in libraries.items() if not licence] == []
    assert libraries["Django"] == "BSD-3-Clause"
    assert libraries["pysnmp"] == "BSD-2-Clause"  # it tells so in the text of its licence only


def test_the_processes_of_the_portal_are_no_number_in_japanese(client):
    client.force_login(make_user("administrator", language="ja"))
    page = client.get("/about/").content.decode()
    assert re.search(r'<h2 id="processes-h">([^<]*)</h2>', page)[1] == "プロセス"


class TestSupportBundles:
    """Who sets the portal has bundles made and fetches them; nobody else learns that there are any."""

    def test_ordered_made_and_fetched(self, client, settings, tmp_path):
        settings.DATA_DIR = tmp_path
        client.force_login(make_user("administrator", username="anna"))
        assert client.post("/about/support-bundles/order/").url == "/about/"
        job = Job.objects.get()
        assert (job.kind, job.state, job.created_by_name) == ("support-bundle", "waiting", "anna")
        assert "Waiting" in client.get("/about/support-bundles/").content.decode()
        orders.make(job.pk)
        bundle = SupportBundle.objects.get()
        assert bundle.name in client.get("/about/").content.decode()
        answer = client.get(f"/about/support-bundles/{bundle.pk}/")
        assert answer.content == bytes(bundle.content)
        assert answer["Content-Disposition"] == f'attachment; filename="{bundle.name}"'
        assert (answer["Content-Type"], answer["Cache-Control"]) == ("application/zip", "no-store")
        entry = AuditEntry.objects.get(action="support-bundle.download")
        assert (entry.actor_name, entry.object_name) == ("anna", bundle.name)
        SupportBundle.objects.update(made_at=timezone.now() - orders.KEPT_FOR)
        assert client.get(f"/about/support-bundles/{bundle.pk}/").status_code == 404

    def test_the_same_by_api(self, client, settings, tmp_path):
        settings.DATA_DIR = tmp_path
        client.force_login(make_user("administrator"))
        ordered = client.post("/api/v1/support-bundles/")
        assert ordered.status_code == 202
        orders.make(ordered.json()["job"])
        (row,) = client.get("/api/v1/support-bundles/").json()["results"]
        bundle = SupportBundle.objects.get()
        assert (row["id"], row["job"], row["size"]) == (bundle.pk, ordered.json()["job"], bundle.size)
        assert client.get(row["url"]).content == bytes(bundle.content)
        assert client.get(f"/api/v1/support-bundles/{bundle.pk}/").json() == row
        assert client.post("/api/v1/support-bundles/", {"x": 1}, "application/json").status_code == 400

    @pytest.mark.parametrize("role", ["viewer", "operator"])
    def test_nobody_else(self, client, role):
        bundle = SupportBundle.objects.create(
            job=Job.objects.create(kind="support-bundle"), name="support.zip", size=1, content=b"x"
        )
        client.force_login(make_user(role))
        assert client.post("/about/support-bundles/order/").status_code == 403
        assert client.get("/about/support-bundles/").status_code == 403
        assert client.get(f"/about/support-bundles/{bundle.pk}/").status_code == 403
        assert "support.zip" not in client.get("/about/").content.decode()
        for path in ("", f"{bundle.pk}/", f"{bundle.pk}/download/"):
            assert client.get(f"/api/v1/support-bundles/{path}").status_code == 403
        assert client.post("/api/v1/support-bundles/").status_code == 403
        assert Job.objects.count() == 1
