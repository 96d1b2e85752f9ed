"""Wire clients, one folder per protocol: plain Python, no Django, no Celery."""
