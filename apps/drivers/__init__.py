"""Drivers, one folder per way of managing a device: plain Python, no Django, no Celery."""
