"""The forms of sign-in services, their roles and e-mail domains."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import (
    GovPasswordInput,
    GovRadioInput,
    GovSubmitInput,
    GovTextArea,
    GovTextInput,
)
from wtforms import (
    HiddenField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectChoice,
    StringField,
    SubmitField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from concord.web.form import lines, one_line
from tenants.identity_provider import IdentityProviderRole, ProviderInvalid
from tenants.role import Role

LONGEST = 500


def _line(label: str, missing: str | None = None) -> StringField:
    needed = InputRequired(missing) if missing else Optional()
    too_long = Length(max=LONGEST, message=f"Enter {LONGEST} characters or fewer")
    return StringField(label, widget=GovTextInput(), filters=[one_line], validators=[needed, too_long])


class ProviderForm(FlaskForm):  # type: ignore[misc]
    """What an administrator is told by the provider's own settings, and what the agency asks of it."""

    name = _line("What your people call it", "Enter what your people call it")
    issuer = _line("Issuer", "Enter the issuer")
    client_id = _line("Client id", "Enter the client id")
    secret = PasswordField(
        "Client secret",
        widget=GovPasswordInput(),
        validators=[InputRequired("Enter the client secret"), Length(max=LONGEST)],
    )
    scopes = _line("Further scopes, if it needs any")
    second_step = RadioField(
        "Must people take a second step there?",
        widget=GovRadioInput(),
        choices=[SelectChoice("yes", "Yes"), SelectChoice("no", "No")],
        default="yes",
        validators=[InputRequired("Say whether people must take a second step")],
    )
    acr_values = _line("Classes of sign-in (acr) that count as a second step")
    max_age = IntegerField(
        "How many minutes ago may they have signed in there?",
        widget=GovTextInput(),
        validators=[Optional(), NumberRange(1, 1440, message="Enter from 1 to 1440 minutes, or nothing")],
    )
    instead_of = HiddenField()
    submit = SubmitField("Keep, and go on to try it", widget=GovSubmitInput())

    def validate_instead_of(self, field: HiddenField) -> None:
        """Take an id only."""
        try:
            field.data = str(UUID(field.data)) if field.data else ""
        except ValueError:
            raise ValidationError("Go back and choose the sign-in service again") from None

    def facts(self) -> dict[str, Any]:
        """Return what was entered as ``add_provider`` takes it."""
        return {
            "name": self.name.data,
            "issuer": self.issuer.data,
            "client_id": self.client_id.data,
            "secret": self.secret.data,
            "scopes": (self.scopes.data or "").split(),
            "second_step": self.second_step.data == "yes",
            "acr_values": (self.acr_values.data or "").split(),
            "max_age_minutes": self.max_age.data,
        }


class RolesForm(FlaskForm):  # type: ignore[misc]
    """Which claim roles follow from, and which of its values stand for which role, one to a line."""

    claim = _line("Claim")
    rules = TextAreaField("Values and roles", widget=GovTextArea(), filters=[lines], validators=[Length(max=20_000)])
    submit = SubmitField("Save", widget=GovSubmitInput())

    @classmethod
    def of(cls, claim: str | None, rules: Iterable[IdentityProviderRole]) -> RolesForm:
        """Return the form as it stands, or as it was sent."""
        return cls(claim=claim, rules="\n".join(f"{rule.claim_value} = {rule.role.label}" for rule in rules))


class DomainForm(FlaskForm):  # type: ignore[misc]
    """One e-mail domain."""

    domain = _line("E-mail domain", "Enter an e-mail domain")
    submit = SubmitField("Add", widget=GovSubmitInput())


def read_rules(form: RolesForm) -> list[tuple[str, Role]]:
    """Return value and role of each line.

    :raises ProviderInvalid: naming the line that has none, or a role that there is not.
    """
    found: list[tuple[str, Role]] = []
    roles = {name: role for role in Role if role is not Role.OPERATOR for name in (role.value, _plain(role.label))}
    for number, line in enumerate((form.rules.data or "").splitlines(), start=1):
        if not line:
            continue
        value, _, name = line.rpartition("=")
        role = roles.get(name.strip()) or roles.get(_plain(name))
        if not value.strip() or role is None:
            raise ProviderInvalid(
                f"Line {number}: write a value, an equals sign and a role: family-finding = Family finder"
            )
        found.append((value.strip(), role))
    return found


def _plain(words: str) -> str:
    return words.strip().replace("’", "'").casefold()
