"""By which mail server notices go out, as the environment says."""

from __future__ import annotations

from environs import Env

from concord.settings import Deployment, SettingInvalid, secret_text
from workers.mail import Mailer, MailerInvalid, read_mailer


def mailer_of(deployment: Deployment, env: Env) -> Mailer | None:
    """Return the mail server of a deployment; ``None`` where none is set, and no e-mail is sent.

    :raises SettingInvalid: when a setting names none.
    """
    try:
        return read_mailer(
            secret_text(env, "CONCORD_SMTP_URL") or "",
            sender=env.str("CONCORD_MAIL_FROM", "").strip(),
            site_url=env.str("CONCORD_SITE_URL", f"http://127.0.0.1:{deployment.port}").rstrip("/"),
        )
    except MailerInvalid as error:
        raise SettingInvalid(str(error)) from None
