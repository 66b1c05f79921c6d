"""``concord provider``: the demonstration's sign-in service, in a process of its own."""

from __future__ import annotations

import click
from environs import Env

from concord.provider.app import create_provider
from concord.provider.people import FILE_NAME
from concord.provider.serve import serve
from concord.settings import read_deployment
from concord.web.settings import CLIENT_ID, provider_secret, provider_url, web_settings


@click.command("provider")
def provider() -> None:
    """Serve the development sign-in provider on this machine; it refuses outside demo mode."""
    deployment = read_deployment()
    app = create_provider(
        issuer=provider_url(deployment.provider_port),
        site_url=web_settings(deployment, Env()).site_url,
        client_id=CLIENT_ID,
        client_secret=provider_secret(deployment.secret_key),
        people_path=deployment.data_dir / FILE_NAME,
        demo=deployment.demo,
    )
    click.echo(f"Sign-in provider: {provider_url(deployment.provider_port)}", err=True)
    serve(app, port=deployment.provider_port)
