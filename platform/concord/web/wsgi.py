"""What a WSGI server loads: ``granian --interface wsgi concord.web.wsgi:app``."""

from concord.web.app import create_app

app = create_app()
