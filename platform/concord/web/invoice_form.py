"""The forms of invoices: the payee's account, bank details, suppliers, orders, disputes and credit notes."""

from __future__ import annotations

from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSelect, GovSubmitInput, GovTextArea, GovTextInput
from wtforms import HiddenField, IntegerField, RadioField, SelectChoice, SelectField, StringField, SubmitField
from wtforms.validators import InputRequired, Length, Optional

from concord.web.form import lines, one_line
from concord.web.short_form import words_field
from concord.web.swap_form import NumberField
from matching.fee.invoice.account import AccountTerms, PayeeAccount, Series
from matching.fee.invoice.vat import TO_CONFIRM, VatCategory


def _line(label: str, *, most: int, missing: str = "") -> StringField:
    length = Length(max=most, message=f"Write at most {most} characters")
    wanted = [InputRequired(missing)] if missing else [Optional()]
    return StringField(label, widget=GovTextInput(), filters=[one_line], validators=[*wanted, length])


class AccountForm(FlaskForm):  # type: ignore[misc]
    """What stands on an agency's invoices."""

    HINTS = {  # noqa: RUF012 - not a field of the form
        "legal_name": "As your finance system has it",
        "vat_category": "Your finance team’s decision. Until it is made nothing is invoiced",
        "vat_words": "What your invoices say of it. Left empty, the usual words",
        "vat_number": "For example, GB 980 7806 84. Needed for the standard and the zero rate",
        "tax_reference": "What else HM Revenue and Customs knows you by, where you have no VAT number",
        "number_prefix": "Such as INV-. Another one begins another series; an earlier one goes on where it ended",
        "next_number": "It goes up by one with each invoice and credit note, without a gap",
        "bank_delay_days": "From the second person’s approval until a change takes effect",
        "endpoint_scheme": "Four digits, such as 0088. Only where electronic invoices reach you over a network",
    }

    legal_name = _line("Name", most=200, missing="Enter the name that stands on your invoices")
    address = StringField("Address", widget=GovTextArea(), filters=[lines], validators=[Length(max=300)])
    town = _line("Town", most=100)
    postcode = _line("Postcode", most=10)
    contact = _line("Who is asked about an invoice", most=200)
    vat_category = RadioField(
        "VAT",
        widget=GovRadioInput(),
        choices=[SelectChoice("", TO_CONFIRM), *(SelectChoice(each.value, each.label) for each in VatCategory)],
        default="",
    )
    vat_words = _line("Words about VAT", most=200)
    vat_number = _line("VAT number", most=20)
    tax_reference = _line("Tax reference", most=30)
    series = RadioField(
        "Invoice numbers",
        widget=GovRadioInput(),
        choices=[SelectChoice(each.value, each.label) for each in Series],
        default=Series.OWN.value,
    )
    number_prefix = _line("What numbers begin with", most=12, missing="Enter what numbers begin with")
    next_number = NumberField("Next number", least=1, most=999_999_999, default=1)
    payment_days = NumberField("Days to pay", least=0, most=120, default=30)
    bank_delay_days = NumberField("Days that a change of bank details waits", least=3, most=60, default=7)
    endpoint_scheme = _line("Scheme of your electronic address", most=4)
    endpoint = _line("Electronic address", most=100)
    submit = SubmitField("Save", widget=GovSubmitInput())

    def terms(self) -> AccountTerms:
        """Return what was settled."""
        return AccountTerms(
            legal_name=self.legal_name.data,
            address=self.address.data or "",
            town=self.town.data or "",
            postcode=self.postcode.data or "",
            vat_category=VatCategory(self.vat_category.data) if self.vat_category.data else None,
            vat_words=self.vat_words.data or "",
            vat_number=self.vat_number.data,
            tax_reference=self.tax_reference.data,
            series=Series(self.series.data),
            number_prefix=self.number_prefix.data,
            next_number=self.next_number.data,
            payment_days=self.payment_days.data,
            bank_delay_days=self.bank_delay_days.data,
            contact=self.contact.data or "",
            endpoint_scheme=self.endpoint_scheme.data,
            endpoint=self.endpoint.data,
        )


def account_form(account: PayeeAccount | None, *, name: str) -> AccountForm:
    """Return the form with what is settled already."""
    if account is None:
        return AccountForm(legal_name=name, number_prefix="INV-")
    category = account.vat_category.value if account.vat_category else ""
    kept = {column: getattr(account, column) for column in AccountForm.HINTS if hasattr(account, column)}
    more = ("address", "town", "postcode", "contact", "payment_days", "endpoint")
    kept |= {column: getattr(account, column) for column in more}
    return AccountForm(**{**kept, "vat_category": category, "series": account.series.value})


class BankForm(FlaskForm):  # type: ignore[misc]
    """A bank account."""

    HINTS = {  # noqa: RUF012 - not a field of the form
        "sort_code": "For example, 12-34-56",
        "account_number": "From 6 to 8 digits",
    }

    name = _line("Name of the account", most=70, missing="Enter the name of the account")
    sort_code = _line("Sort code", most=10, missing="Enter the sort code")
    account_number = _line("Account number", most=12, missing="Enter the account number")
    submit = SubmitField("Ask for the change", widget=GovSubmitInput())


class SupplierForm(FlaskForm):  # type: ignore[misc]
    """A payee that the agency has approved."""

    payee = SelectField("Which agency?", widget=GovSelect())
    supplier_number = _line("Its number in your finance system", most=30)
    submit = SubmitField("Put on record", widget=GovSubmitInput())


class OrderForm(FlaskForm):  # type: ignore[misc]
    """A purchase order."""

    number = _line("Purchase order number", most=30, missing="Enter the number")
    submit = SubmitField("Save", widget=GovSubmitInput())


class DisputeForm(FlaskForm):  # type: ignore[misc]
    """What one side says in a dispute, and how it ends."""

    words = words_field("What do you want to tell the other agency?", missing="Enter what you want to tell")
    outcome = RadioField("What becomes of the dispute?", widget=GovRadioInput(), default="")
    version = IntegerField(widget=HiddenField.widget, validators=[Optional()])
    submit = SubmitField("Send", widget=GovSubmitInput())


class NoteForm(FlaskForm):  # type: ignore[misc]
    """A note with an approval to pay."""

    note = _line("Note", most=500)
    submit = SubmitField("Approve to pay", widget=GovSubmitInput())


class StagesForm(FlaskForm):  # type: ignore[misc]
    """At which days reminders are raised."""

    days = _line("Days after an invoice is due", most=60)
    submit = SubmitField("Save", widget=GovSubmitInput())
