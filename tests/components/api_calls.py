"""How tests call the resource of components."""

import json

URL = "/api/v1/components/"


def post(api, **body):
    return api.post(URL, json.dumps(body), content_type="application/json")


def patch(api, component, body, **headers):
    return api.patch(f"{URL}{component['id']}/", body, format="json", **headers)


def refused(response, field):
    assert response.status_code == 400, response.content
    assert response["Content-Type"] == "application/problem+json"
    assert list(response.json()["errors"]) == [field]
    assert all(isinstance(text, str) and text for text in response.json()["errors"][field])
    return " ".join(response.json()["errors"][field])
