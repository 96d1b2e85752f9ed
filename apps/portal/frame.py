"""The parts of the page frame that refresh themselves."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET


@require_GET
def pulse(request: HttpRequest) -> HttpResponse:
    """Give the numbers in the top bar anew: open problems and running jobs."""
    return render(request, "includes/_pulse.html")
