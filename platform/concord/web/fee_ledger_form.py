"""The forms of the ledger's pages."""

from __future__ import annotations

from collections.abc import Iterable

from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSubmitInput
from wtforms import RadioField, SelectChoice, SubmitField
from wtforms.validators import InputRequired

from concord.web.fee_form import PoundsField
from concord.web.short_form import words_field
from matching.fee.exception import ExceptionKind


class ReopenForm(FlaskForm):  # type: ignore[misc]
    """Why a month is to be opened again."""

    reason = words_field("Why does the month have to be opened again?", missing="Say why the month has to be opened")
    submit = SubmitField("Ask", widget=GovSubmitInput())


class ExceptionForm(FlaskForm):  # type: ignore[misc]
    """What is to depart from an agreement."""

    kind = RadioField(
        "What should change?",
        widget=GovRadioInput(),
        validators=[InputRequired("Choose what should change")],
    )
    amount = PoundsField("The new fee, or what is paid back, without VAT (leave it empty for a waiver)", least=0)
    reason = words_field("Why?", missing="Say why: the reason stands in both agencies’ ledgers")
    submit = SubmitField("Ask", widget=GovSubmitInput())

    def offer(self, kinds: Iterable[ExceptionKind]) -> None:
        """Set what can be asked for."""
        self.kind.choices = [SelectChoice(each.value, each.label) for each in kinds]
