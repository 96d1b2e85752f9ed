"""The verbs of components: what pages, the API, schedules and the command line call to change something."""
