"""What every answer of the portal carries, whoever asks and whatever for."""

from django.http import HttpResponseBase

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def faults(answer: HttpResponseBase) -> list[str]:
    """Say which headers are not as they must be."""
    found = [f"{name}: {answer.get(name)}" for name, value in ALWAYS.items() if answer.get(name) != value]
    if answer.get("Referrer-Policy") == "no-referrer":  # tells even less
        found.remove("Referrer-Policy: no-referrer")
    policy = dict(part.strip().partition(" ")[::2] for part in answer.get("Content-Security-Policy", "").split(";"))
    wanted = {"default-src": "'self'", "script-src": "'self'", "style-src": "'self'", "object-src": "'none'"}
    wanted |= {"base-uri": "'none'", "frame-ancestors": "'none'", "form-action": "'self'"}
    found += [f"policy {name}: {policy.get(name)}" for name, value in wanted.items() if policy.get(name) != value]
    if "unsafe" in answer.get("Content-Security-Policy", ""):
        found.append("the policy has a hole")
    if "camera=()" not in answer.get("Permissions-Policy", ""):
        found.append("Permissions-Policy")
    if "Strict-Transport-Security" in answer:
        found.append("HSTS that nobody asked for")
    return found
