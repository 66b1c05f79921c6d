"""The forms of tariffs, rules and agreements, and a box for an amount of money."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSelect, GovSubmitInput, GovTextArea, GovTextInput
from wtforms import HiddenField, RadioField, SelectChoice, SelectField, StringField, SubmitField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, ValidationError

from concord.web.form import DayField, lines, one_line
from concord.web.short_form import words_field
from concord.web.swap_form import NumberField
from matching.fee.money import say_pounds
from matching.fee.plan_text import PlanUnreadable, read_plan_text, write_plan_text
from matching.fee.remittance.written_amount import typed_pence
from matching.fee.rule import CountsFrom, FeeRule, FeeRules, LegFalls, OnDisruption, Pricing, SwapWaiver
from matching.fee.tariff import MOST_PENCE, PayeeKind, PublishedTariff, TariffTerms
from tenants.agency import Agency, Nation

SCALE = (1, 2, 3, 4, 5, 6)
"""For how many children the form has a box each; the published scales end at five."""
ANYWHERE = ""
IN_FULL = "full"
_DAY = {"missing": "Enter the day, month and year", "impossible": "Enter a real date, for example 1 4 2027"}


def _choices(words: Iterable[Pricing | CountsFrom | OnDisruption | LegFalls]) -> list[SelectChoice]:
    return [SelectChoice(each.value, each.label) for each in words]


def _say_plan(terms: TariffTerms) -> str:
    parts = "; ".join(each.words[0].lower() + each.words[1:] for each in terms.shares)
    monthly = ""
    if terms.continuing_pence is not None and terms.continuing_after_months is not None:
        monthly = f"; {say_pounds(terms.continuing_pence)} a month after {terms.continuing_after_months} months"
    return f"As “{terms.name}” has it: {parts}{monthly}"


class PoundsField(StringField):  # type: ignore[misc]
    """An amount of money in pounds; its data are pence, ``None`` where nothing was typed."""

    widget = GovTextInput()

    def __init__(self, label: str, *, missing: str | None = None, least: int = 1, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(label, **kwargs)
        self._missing, self._least = missing, least

    @property
    def pence(self) -> int:
        """Return the amount; nothing where none was typed."""
        return int(self.data or 0)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else f"{self.data // 100}{f'.{self.data % 100:02d}' if self.data % 100 else ''}"

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed: ``27,000``, ``£31,620.50``."""
        typed = (one_line(valuelist[0]) or "") if valuelist else ""
        self.data = None
        if not typed:
            if self._missing:
                raise ValueError(self._missing)
            return
        pence = typed_pence(typed) if len(typed) <= 20 else None
        if pence is None or not self._least <= pence <= MOST_PENCE:
            raise ValueError("Enter an amount in pounds up to £1,000,000, for example 27,000")
        self.data = pence


class OptionalDayField(DayField):
    """A date that may be left out."""

    data: date | None

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the three boxes, or that none of them was filled in."""
        if not any(text.strip() for text in valuelist):
            self.raw_data = ["", "", ""]
            self.data = None
            return
        super().process_formdata(valuelist)


class TariffForm(FlaskForm):  # type: ignore[misc]
    """What a tariff says: for whom and when, its scale, its parts, and where it is published."""

    HINTS = {  # noqa: RUF012 - not a field of the form
        "begins_on": "For example, 1 4 2027",
        "ends_on": "Leave it empty while it isn’t known. A new tariff ends this one on the day before it begins",
        "nation": "Of whoever is paid",
        **{f"rate_{each}": "In pounds. Leave it empty where no figure is published" for each in SCALE},
        "plan": "A part a line: “1/1 placement”, or “2/3 placement” and then “1/3 order or 12 months”",
        "london_percent": "In per cent. Leave it empty where the tariff says nothing of London",
        "continuing": "What is paid each month where no order is made. Leave it empty where there is none",
        "source": "Where the figures are published, so that anyone can check them",
    }

    name = StringField(
        "Name",
        widget=GovTextInput(),
        filters=[one_line],
        validators=[InputRequired("Enter a name"), Length(max=100, message="Write at most 100 letters")],
    )
    payee_kind = RadioField(
        "Who is paid by it?",
        widget=GovRadioInput(),
        choices=[SelectChoice(each.value, each.label) for each in PayeeKind],
        validators=[InputRequired("Select who is paid by it")],
    )
    nation = SelectField(
        "Nation",
        widget=GovSelect(),
        choices=[
            SelectChoice(ANYWHERE, "All four"),
            *(SelectChoice(each.value, each.value.replace("_", " ").title()) for each in Nation),
        ],
        default=ANYWHERE,
    )
    london = RadioField(
        "Is it for payees in London alone?",
        widget=GovRadioInput(),
        choices=[SelectChoice("no", "No"), SelectChoice("yes", "Yes")],
        default="no",
    )
    begins_on = DayField("First day", **_DAY)
    ends_on = OptionalDayField("Last day", **_DAY)
    rate_1 = PoundsField("1 child")
    rate_2 = PoundsField("2 children placed together")
    rate_3 = PoundsField("3 children placed together")
    rate_4 = PoundsField("4 children placed together")
    rate_5 = PoundsField("5 children placed together")
    rate_6 = PoundsField("6 children placed together")
    plan = TextAreaField(
        "When is it paid?",
        widget=GovTextArea(),
        filters=[lines],
        validators=[DataRequired("Say when it is paid"), Length(max=1000, message="Write at most 1,000 letters")],
        default="1/1 placement",
    )
    london_percent = NumberField("What is paid on top in London?", least=1, most=100)
    continuing = PoundsField("Each month without an order")
    continuing_after_months = NumberField("After how many months?", least=1, most=120)
    source = words_field("Source", missing="Enter where the figures are published")
    submit = SubmitField("Save the tariff", widget=GovSubmitInput())

    def validate_plan(self, field: TextAreaField) -> None:
        """Refuse a plan that cannot be read."""
        try:
            read_plan_text(field.data)
        except PlanUnreadable as refusal:
            raise ValidationError(str(refusal)) from None

    def show(self, terms: TariffTerms) -> None:
        """Fill in the shape of another tariff, its figures with it."""
        self.name.data, self.payee_kind.data = terms.name, terms.payee_kind.value
        self.nation.data = terms.nation.value if terms.nation else ANYWHERE
        self.london.data = "yes" if terms.london else "no"
        self.begins_on.data, self.ends_on.data = terms.begins_on, terms.ends_on
        for each in SCALE:
            self[f"rate_{each}"].data = terms.rates.get(each)
        self.plan.data = write_plan_text(terms.shares)
        self.london_percent.data = terms.london_percent
        self.continuing.data = terms.continuing_pence
        self.continuing_after_months.data = terms.continuing_after_months
        self.source.data = terms.source

    def terms(self, *, more: dict[int, int] | None = None) -> TariffTerms:
        """Return what was said.

        :param more: rates of the tariff before for which the form has no box.
        """
        typed = {each: self[f"rate_{each}"].data for each in SCALE}
        return TariffTerms(
            name=self.name.data,
            payee_kind=PayeeKind(self.payee_kind.data),
            nation=Nation(self.nation.data) if self.nation.data else None,
            london=self.london.data == "yes",
            london_percent=self.london_percent.data,
            begins_on=self.begins_on.data,
            ends_on=self.ends_on.data,
            rates={**(more or {}), **{each: pence for each, pence in typed.items() if pence is not None}},
            shares=read_plan_text(self.plan.data),
            continuing_pence=self.continuing.data,
            continuing_after_months=self.continuing_after_months.data,
            source=self.source.data,
        )


class RulesForm(FlaskForm):  # type: ignore[misc]
    """The rules of a consortium from a day on."""

    begins_on = DayField("From which day?", **_DAY)
    pricing = RadioField("By which tariff?", widget=GovRadioInput(), choices=_choices(Pricing))
    counts_from = RadioField("Which day chooses the rate?", widget=GovRadioInput(), choices=_choices(CountsFrom))
    disruption = RadioField(
        "When a placement disrupts before the order",
        widget=GovRadioInput(),
        choices=_choices(OnDisruption),
    )
    waives_swaps = RadioField(
        "Do swaps carry a fee?",
        widget=GovRadioInput(),
        choices=[SelectChoice("yes", "No, none"), SelectChoice("no", "Yes, as others do")],
    )
    leg_falls = RadioField(
        "When a swap’s leg falls afterwards",
        widget=GovRadioInput(),
        choices=_choices(LegFalls),
    )
    why = words_field("Who decided it, and why?", missing="Enter who decided it, and why")
    submit = SubmitField("Set the rules", widget=GovSubmitInput())

    def show(self, rules: FeeRules, *, begins_on: date) -> None:
        """Fill in rules as they are."""
        self.begins_on.data = begins_on
        for name in ("pricing", "counts_from", "disruption", "leg_falls"):
            self[name].data = getattr(rules, name).value
        self.waives_swaps.data = "yes" if rules.waives_swaps else "no"

    def rules(self) -> FeeRules:
        """Return what was said."""
        return FeeRules(
            pricing=Pricing(self.pricing.data),
            counts_from=CountsFrom(self.counts_from.data),
            disruption=OnDisruption(self.disruption.data),
            waives_swaps=self.waives_swaps.data == "yes",
            leg_falls=LegFalls(self.leg_falls.data),
            why=self.why.data,
        )


class WaiverForm(FlaskForm):  # type: ignore[misc]
    """What the placements of one swap group carry from a day on."""

    begins_on = DayField("From which day?", **_DAY)
    waives_swaps = RadioField(
        "Do its swaps carry a fee?",
        widget=GovRadioInput(),
        choices=[SelectChoice("yes", "No, none"), SelectChoice("no", "Yes, as others do")],
        validators=[InputRequired("Select whether they carry a fee")],
    )
    leg_falls = RadioField(
        "When a leg falls afterwards",
        widget=GovRadioInput(),
        choices=_choices(LegFalls),
        validators=[InputRequired("Select what follows")],
    )
    why = words_field("Who decided it, and why?", missing="Enter who decided it, and why")
    submit = SubmitField("Set the rule", widget=GovSubmitInput())

    def show(self, rule: FeeRule | FeeRules, *, begins_on: date) -> None:
        """Fill in the rule as it is."""
        self.begins_on.data = begins_on
        self.waives_swaps.data, self.leg_falls.data = "yes" if rule.waives_swaps else "no", rule.leg_falls.value

    def waiver(self) -> SwapWaiver:
        """Return what was said."""
        return SwapWaiver(self.waives_swaps.data == "yes", LegFalls(self.leg_falls.data), self.why.data)


class LastDayForm(FlaskForm):  # type: ignore[misc]
    """The last day of something."""

    ends_on = DayField("Last day", **_DAY)
    submit = SubmitField("Set the last day", widget=GovSubmitInput())


class StateFeeForm(FlaskForm):  # type: ignore[misc]
    """A fee that the two agencies have settled between themselves."""

    version = HiddenField()
    amount = PoundsField("Whole fee", missing="Enter the fee")
    plan = RadioField("When is it paid?", widget=GovRadioInput(), validators=[InputRequired("Select when it is paid")])
    reason = words_field("What does it rest on?", missing="Enter what it rests on")
    submit = SubmitField("State the fee", widget=GovSubmitInput())

    def offer(self, plans: Iterable[PublishedTariff]) -> None:
        """Set when it can be paid: in full, or as a tariff of the payee's has it."""
        self.plan.choices = [
            SelectChoice(IN_FULL, "In full when the placement begins, and nothing more"),
            *(SelectChoice(str(each.id), _say_plan(each.terms)) for each in plans),
        ]

    @property
    def tariff_id(self) -> UUID | None:
        """Return the tariff as which it is paid, or ``None`` for in full."""
        return None if self.plan.data == IN_FULL else UUID(self.plan.data)


class AddendumForm(FlaskForm):  # type: ignore[misc]
    """Another fee, or another number of children."""

    version = HiddenField()
    amount = PoundsField("Whole fee", missing="Enter the fee")
    children = NumberField("How many children?", least=1, most=20, default=1)
    reason = words_field("Why?", missing="Enter the reason")
    submit = SubmitField("Draft the addendum", widget=GovSubmitInput())


class PayerForm(FlaskForm):  # type: ignore[misc]
    """Which regional agency is asked to pay, and from when."""

    payer = RadioField(
        "Which regional agency?", widget=GovRadioInput(), validators=[InputRequired("Select a regional agency")]
    )
    begins_on = DayField("From which day?", **_DAY)
    submit = SubmitField("Ask it to pay", widget=GovSubmitInput())

    def offer(self, agencies: Sequence[Agency]) -> None:
        """Set who can be asked."""
        self.payer.choices = [SelectChoice(str(each.id), each.name) for each in agencies]


class LimitForm(FlaskForm):  # type: ignore[misc]
    """Up to how much people of a role sign."""

    amount = PoundsField("Sign up to", least=0)
    submit = SubmitField("Set the limit", widget=GovSubmitInput())


class DayOfCostForm(FlaskForm):  # type: ignore[misc]
    """On which day a placement might begin."""

    class Meta:
        """It changes nothing: it is asked by its address."""

        csrf = False

    day = DayField("If the placement began on", **_DAY)
    submit = SubmitField("Show the cost", widget=GovSubmitInput())
