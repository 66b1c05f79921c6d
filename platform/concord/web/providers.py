"""The pages on which an agency's administrator keeps how its people sign in: sign-in services and e-mail domains."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from concord.web.access import may
from concord.web.form import error_summary
from concord.web.outbound import AddressRefused, checked_address
from concord.web.provider_form import DomainForm, ProviderForm, RolesForm, read_rules
from concord.web.request import current_settings, transaction
from concord.web.sign_in import leave_for_trial, site_url
from tenants.agency import list_agencies
from tenants.base import utc_now
from tenants.database import scope_of
from tenants.email_domain import (
    DomainInvalid,
    DomainTaken,
    add_domain,
    confirm_domain,
    get_domain,
    list_domains,
    list_unconfirmed,
    remove_domain,
)
from tenants.identity_provider import (
    IdentityProvider,
    ProviderInvalid,
    add_provider,
    check_issuer,
    close_default,
    count_without_account,
    get_provider,
    list_providers,
    list_role_rules,
    set_role_rules,
    switch_off,
    switch_on,
)
from tenants.permission import Verb

blueprint = Blueprint("providers", __name__)


@blueprint.get("/agency/sign-in")
@may(Verb.MANAGE_PROVIDERS)
def index() -> ResponseReturnValue:
    """Show the agency's sign-in services and e-mail domains."""
    return _index(DomainForm())


@blueprint.route("/agency/sign-in/new", methods=["GET", "POST"])
@may(Verb.MANAGE_PROVIDERS)
def new() -> ResponseReturnValue:
    """Take a sign-in service, to be tried before it is switched on."""
    form = ProviderForm()
    with transaction() as database:
        model = _model(database) if request.method == "GET" else None
    if model is not None:
        form = ProviderForm(**_known_of(model))
    added = _add(form) if form.validate_on_submit() else None
    if added is not None:
        return redirect(url_for("providers.show", provider_id=added), 303)
    page = render_template("provider-new.html", form=form, errors=error_summary(form), model=model)
    return page, 422 if form.errors else 200


@blueprint.get("/agency/sign-in/<uuid:provider_id>")
@may(Verb.MANAGE_PROVIDERS)
def show(provider_id: UUID) -> ResponseReturnValue:
    """Show one sign-in service: what to register with it, how it stands, what it was found to say."""
    said = session.get("trial") or {}
    with transaction() as database:
        provider = get_provider(database, provider_id)
        return render_template(
            "provider.html",
            provider=provider,
            rules=list_role_rules(database, provider),
            without=count_without_account(database, provider, now=utc_now()),
            answer_url=site_url("sign_in.answer_of", mark=provider.mark),
            logout_url=site_url("sign_in.end_there_of", mark=provider.mark),
            left_url=site_url("sign_in.left"),
            said=said if said.get("provider") == str(provider_id) else None,
            default=current_settings().issuer is not None,
        )


@blueprint.get("/agency/sign-in/<uuid:provider_id>/try")
@may(Verb.MANAGE_PROVIDERS)
def attempt(provider_id: UUID) -> ResponseReturnValue:
    """Send the administrator through a sign-in service, on or not, to see that it works."""
    with transaction() as database:
        get_provider(database, provider_id)
    return leave_for_trial(provider_id)


@blueprint.post("/agency/sign-in/<uuid:provider_id>/<any(on, off, alone, beside):step>")
@may(Verb.MANAGE_PROVIDERS)
def switch(provider_id: UUID, step: str) -> ResponseReturnValue:
    """Switch a sign-in service on or off, or make it the agency's only way in."""
    with transaction() as database:
        provider = get_provider(database, provider_id)
        if step == "on":
            switch_on(database, provider)
        elif step == "off":
            switch_off(database, provider, default_issuer=current_settings().issuer)
        else:
            close_default(database, provider, closed=step == "alone")
    flash(_DONE[step])
    return redirect(url_for("providers.show", provider_id=provider_id), 303)


@blueprint.route("/agency/sign-in/<uuid:provider_id>/roles", methods=["GET", "POST"])
@may(Verb.MANAGE_PROVIDERS)
def roles(provider_id: UUID) -> ResponseReturnValue:
    """Take which values of a claim stand for which role."""
    with transaction() as database:
        provider = get_provider(database, provider_id)
        form = RolesForm.of(provider.roles_claim, list_role_rules(database, provider))
    if form.validate_on_submit() and _set_roles(form, provider_id):
        flash("Roles follow the claim from each person’s next sign-in.")
        return redirect(url_for("providers.show", provider_id=provider_id), 303)
    page = render_template("provider-roles.html", form=form, errors=error_summary(form), provider=provider)
    return page, 422 if form.errors else 200


@blueprint.post("/agency/sign-in/domains")
@may(Verb.MANAGE_PROVIDERS)
def name_domain() -> ResponseReturnValue:
    """Take an e-mail domain of the agency's, to be confirmed."""
    form = DomainForm()
    if form.validate_on_submit():
        try:
            with transaction() as database:
                add_domain(database, form.domain.data or "", now=utc_now())
            return redirect(url_for("providers.index", _anchor="domains"), 303)
        except (DomainInvalid, DomainTaken) as refusal:
            form.domain.errors = [str(refusal)]
    return _index(form)


@blueprint.post("/agency/sign-in/domains/<uuid:domain_id>/remove")
@may(Verb.MANAGE_PROVIDERS)
def drop_domain(domain_id: UUID) -> ResponseReturnValue:
    """Take a domain off the agency's list."""
    with transaction() as database:
        remove_domain(database, get_domain(database, domain_id))
    return redirect(url_for("providers.index", _anchor="domains"), 303)


@blueprint.get("/e-mail-domains")
@may(Verb.CONFIRM_DOMAINS)
def domains() -> ResponseReturnValue:
    """Show the consortium's office which domains its members have named."""
    with transaction() as database:
        names = {agency.id: agency.name for agency in list_agencies(database)}
        return render_template("domains.html", domains=list_unconfirmed(database), names=names)


@blueprint.post("/e-mail-domains/<uuid:domain_id>/confirm")
@may(Verb.CONFIRM_DOMAINS)
def confirm(domain_id: UUID) -> ResponseReturnValue:
    """Take the office's word that a domain was checked."""
    with transaction() as database:
        domain = get_domain(database, domain_id)
        confirm_domain(database, domain, now=utc_now())
        flash(f"{domain.domain} is confirmed.")
    return redirect(url_for("providers.domains"), 303)


_DONE = {
    "on": "People can now come in by this sign-in service.",
    "off": "Nobody can come in by this sign-in service any more, and who came by it is out.",
    "alone": "Your agency’s people now come in by your own sign-in services alone.",
    "beside": "Your agency’s people can also come in by the sign-in service of this site again.",
}


def _index(form: DomainForm) -> ResponseReturnValue:
    with transaction() as database:
        agency_id = scope_of(database).agency_id
        page = render_template(
            "providers.html",
            form=form,
            errors=error_summary(form),
            providers=list_providers(database),
            domains=list_domains(database, agency_id=agency_id) if agency_id else [],
            default=current_settings().issuer is not None,
        )
    return page, 422 if form.errors else 200


def _model(database: Session) -> IdentityProvider | None:
    """Return the service whose settings are to be taken over, where one is to be replaced."""
    replaced = request.args.get("instead_of")
    try:
        return get_provider(database, UUID(replaced)) if replaced else None
    except ValueError:
        return None


def _known_of(model: IdentityProvider) -> dict[str, object]:
    return {
        "name": model.name,
        "issuer": model.issuer,
        "client_id": model.client_id,
        "scopes": " ".join(model.scopes[2:]),
        "second_step": "yes" if model.second_step else "no",
        "acr_values": " ".join(model.acr_values),
        "max_age": model.max_age_minutes,
        "instead_of": str(model.id),
    }


def _add(form: ProviderForm) -> UUID | None:
    try:
        issuer = check_issuer(form.issuer.data or "")
        if not current_settings().demo:
            checked_address(issuer)
        with transaction() as database:
            provider = add_provider(database, **form.facts(), now=utc_now())
            _take_rules_over(database, provider, form.instead_of.data)
            return provider.id
    except (ProviderInvalid, AddressRefused) as refusal:
        form.issuer.errors = [str(refusal)]
    return None


def _take_rules_over(database: Session, provider: IdentityProvider, instead_of: str | None) -> None:
    if instead_of:
        old = get_provider(database, UUID(instead_of))
        rules = [(rule.claim_value, rule.role) for rule in list_role_rules(database, old)]
        set_role_rules(database, provider, claim=old.roles_claim, rules=rules)


def _set_roles(form: RolesForm, provider_id: UUID) -> bool:
    try:
        with transaction() as database:
            provider = get_provider(database, provider_id)
            set_role_rules(database, provider, claim=form.claim.data, rules=read_rules(form))
    except ProviderInvalid as refusal:
        form.claim.errors = [str(refusal)]
    return not form.errors
