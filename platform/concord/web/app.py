"""The application: its parts put together, once per process."""

from __future__ import annotations

from environs import Env
from flask import Blueprint, Flask, redirect, request, session
from flask.typing import ResponseReturnValue
from flask_wtf import CSRFProtect
from redis import Redis
from sqlalchemy.exc import SQLAlchemyError

from concord.api.app import install_api
from concord.api.parts import Parts
from concord.api.problem import asks_api
from concord.limits import read_probing_limits
from concord.web import (
    acting,
    actions,
    agency,
    agency_archive,
    agreements,
    audit,
    availability,
    bars,
    breaches,
    calendars,
    clients,
    declines,
    delegations,
    documents,
    export,
    fee_agreements,
    fee_budget,
    fee_cost,
    fee_journals,
    fee_ledger,
    fee_matching,
    fee_netting,
    fee_payers,
    fee_reports,
    fee_savings,
    fee_statements,
    fee_tariffs,
    fees,
    glass,
    grants,
    group_course,
    groups,
    hand_overs,
    health,
    home,
    household_times,
    households,
    import_mapping,
    imports,
    invitations,
    invoices,
    leaving,
    link_panel,
    link_steps,
    links,
    meetings,
    monitoring,
    my_links,
    my_sessions,
    notices,
    panel,
    papers,
    payee_accounts,
    people,
    placements,
    privacy,
    providers,
    rectifications,
    reference,
    remittances,
    retention,
    retention_holds,
    retention_orders,
    sealings,
    sharing,
    sign_in,
    subject_access,
    swap_nettings,
    swaps,
    threads,
)
from concord.web.access import list_access, public
from concord.web.address import install_proxies
from concord.web.error import error_page, install_errors
from concord.web.frontend import make_page_app
from concord.web.limit import install_limits
from concord.web.navigation import footer_for, navigation_for
from concord.web.openid import install_openid
from concord.web.pool import blueprint as pool_pages
from concord.web.request import Site, current_database, current_settings, find_person, install_site
from concord.web.security import install_security, origin
from concord.web.settings import WebSettings, read_web_settings
from concord.web.trace import install_trace, request_id
from concord.web.words import install_words
from tenants.database import Database
from tenants.scope import NOBODY
from tenants.sign_in import SignInSession

BLUEPRINTS: tuple[Blueprint, ...] = (
    health.blueprint,
    sign_in.blueprint,
    acting.blueprint,
    home.blueprint,
    groups.blueprint,
    households.blueprint,
    export.blueprint,
    sharing.blueprint,
    bars.blueprint,
    glass.blueprint,
    audit.blueprint,
    reference.blueprint,
    imports.blueprint,
    import_mapping.blueprint,
    pool_pages,
    swaps.blueprint,
    swap_nettings.blueprint,
    fees.blueprint,
    invoices.blueprint,
    payee_accounts.blueprint,
    fee_agreements.blueprint,
    fee_cost.blueprint,
    fee_ledger.blueprint,
    fee_payers.blueprint,
    fee_journals.blueprint,
    fee_reports.blueprint,
    fee_savings.blueprint,
    fee_statements.blueprint,
    fee_netting.blueprint,
    fee_budget.blueprint,
    fee_tariffs.blueprint,
    remittances.blueprint,
    fee_matching.blueprint,
    monitoring.blueprint,
    privacy.blueprint,
    retention.blueprint,
    retention_holds.blueprint,
    retention_orders.blueprint,
    subject_access.blueprint,
    agreements.blueprint,
    rectifications.blueprint,
    breaches.blueprint,
    panel.blueprint,
    papers.blueprint,
    meetings.blueprint,
    actions.blueprint,
    availability.blueprint,
    clients.blueprint,
    agency.blueprint,
    people.blueprint,
    invitations.blueprint,
    my_sessions.blueprint,
    delegations.blueprint,
    hand_overs.blueprint,
    leaving.blueprint,
    agency_archive.blueprint,
    providers.blueprint,
    link_panel.blueprint,
    links.blueprint,
    link_steps.blueprint,
    threads.blueprint,
    notices.blueprint,
    my_links.blueprint,
    calendars.blueprint,
    group_course.blueprint,
    household_times.blueprint,
    declines.blueprint,
    placements.blueprint,
    sealings.blueprint,
    grants.blueprint,
    documents.blueprint,
)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
_FORM_BYTES = 500_000
_API_PAGES = frozenset({"api_docs.page", "api_docs.reference", "api_docs.reference_area"})


def create_app(settings: WebSettings | None = None, database: Database | None = None) -> Flask:
    """Return the site; settings and database come from the environment where they are not given.

    :raises SettingMissing: naming every variable that is absent.
    :raises AccessUndeclared: when a view does not say who may open it.
    """
    settings = settings or read_web_settings()
    app = make_page_app("concord.web")
    _configure(app, settings)
    install_site(app, _site(settings, database))
    install_proxies(app, settings.proxies)
    install_trace(app)
    app.before_request(_check_address)
    install_limits(app, settings)
    install_security(app, https=settings.https, form_targets=lambda: _form_targets(settings))
    install_errors(app)
    csrf = CSRFProtect(app)
    # Providers call these themselves: what they bring is signed, and no cookie counts there.
    csrf.exempt(sign_in.end_there)
    csrf.exempt(sign_in.end_there_of)
    install_openid(app, settings)
    install_words(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.context_processor(_page_facts)
    install_api(app, _api_parts(app, settings), csrf=csrf)
    public(app.view_functions["static"])
    list_access(app)
    return app


def _form_targets(settings: WebSettings) -> tuple[str, ...]:
    # Signing out is a form whose answer leads on to the provider: the one by which the person came.
    # What programs are answered has no forms, and hangs on no cookie; the pages of the API's description have.
    programs = asks_api() and request.endpoint not in _API_PAGES
    if request.endpoint == "static" or programs or "provider" not in session:
        return (origin(settings.issuer),) if settings.issuer else ()
    return (session["ends_at"],)


def _configure(app: Flask, settings: WebSettings) -> None:
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=settings.upload_bytes,
        MAX_FORM_MEMORY_SIZE=_FORM_BYTES,
        SESSION_COOKIE_NAME="__Host-concord-form" if settings.https else "concord-form",
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # A form stays good as long as its session: people are called away from their desks.
        WTF_CSRF_TIME_LIMIT=None,
    )


def _site(settings: WebSettings, database: Database | None) -> Site:
    return Site(
        settings=settings,
        database=database
        or Database(
            settings.database_url,
            scope_key=settings.scope_key,
            master_key=settings.master_key,
            former_master_key=settings.former_master_key,
            facts={"probing_limits": read_probing_limits(Env())},
        ),
        valkey=Redis.from_url(settings.valkey_url, socket_connect_timeout=2, socket_timeout=2),
    )


def _api_parts(app: Flask, settings: WebSettings) -> Parts:
    with app.app_context():
        database = current_database()
    return Parts(database=database, site_url=settings.site_url, cursor_key=settings.secret_key, request_id=request_id)


def _check_address() -> ResponseReturnValue | None:
    """Answer only to the site's own name: cookies and the way back from the provider hang on it."""
    settings = current_settings()
    if request.host == settings.host or (request.endpoint or "").startswith("health."):
        return None
    ours, named = settings.host.rpartition(":"), request.host.rpartition(":")
    if ours[0] in _LOOPBACK and named[0] in _LOOPBACK and ours[2] == named[2] and request.method == "GET":
        return redirect(settings.site_url + request.full_path.rstrip("?"), 302)
    return error_page(421, body=f"This service is at {settings.site_url}.")


def _page_facts() -> dict[str, object]:
    person = _person_to_name()
    at_work = person is not None and (person.agency_id is not None or person.scope.operator)
    return {
        "demo": current_settings().demo,
        "person": person,
        "navigation": navigation_for(person.scope) if person and at_work else [],
        "footer": footer_for(person.scope if person and at_work else NOBODY),
    }


def _person_to_name() -> SignInSession | None:
    """Return who is signed in; a page that says the database is away can still be drawn."""
    try:
        return find_person()
    except SQLAlchemyError:
        return None
