"""``concord provider``: the demonstration's sign-in service, in a process of its own."""

from __future__ import annotations

import click
from environs import Env

from concord.provider.app import create_provider, refuse_outside_demo
from concord.provider.people import FILE_NAME
from concord.provider.serve import serve
from concord.settings import Settings, complete
from concord.web.settings import CLIENT_ID, provider_secret, provider_url, web_settings


@click.command("provider")
@click.pass_obj
def command(settings: Settings) -> None:
    """Serve the development sign-in provider to this machine; it refuses outside demo mode."""
    refuse_outside_demo(demo=settings.demo)
    deployment = complete(settings)
    app = create_provider(
        issuer=provider_url(deployment.provider_port),
        site_url=web_settings(deployment, Env()).site_url,
        client_id=CLIENT_ID,
        client_secret=provider_secret(deployment.secret_key),
        people_path=deployment.data_dir / FILE_NAME,
        demo=deployment.demo,
    )
    serve(app, port=deployment.provider_port)
