from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from flask import jsonify
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue

from concord.web import create_app
from concord.web.access import AccessUndeclared, list_access, may
from tenants.database import Database
from tenants.permission import Verb
from tenants.role import Role
from tests.factories import Factories, Tenant
from tests.platform.api.census import API_CENSUS
from tests.site import Visitor, make_settings

# Every route, and who may use it. A new page adds its line here.
CENSUS = {
    "GET /": "anyone",
    "GET /accessibility": "anyone",
    "GET /acting": "signed in",
    "POST /acting": "signed in",
    "GET /actions/<uuid:action_id>/close": "may keep_actions",
    "POST /actions/<uuid:action_id>/close": "may keep_actions",
    "GET /agency/delegations": "may decide_life",
    "POST /agency/delegations": "may decide_life",
    "POST /agency/delegations/<uuid:delegation_id>/end": "may decide_life",
    "POST /agency/delegations/<uuid:delegation_id>/sign": "may decide_life",
    "GET /agency/hand-overs": "may decide_life",
    "POST /agency/hand-overs": "may decide_life",
    "GET /agency/hand-overs/<uuid:hand_over_id>": "may decide_life",
    "POST /agency/hand-overs/<uuid:hand_over_id>": "may decide_life",
    "POST /agency/hand-overs/<uuid:hand_over_id>/again": "may decide_life",
    "POST /agency/hand-overs/<uuid:hand_over_id>/agree": "may decide_life",
    "GET /agency/hand-overs/<uuid:hand_over_id>/rows.<any(csv, json):file_format>": "may decide_life",
    "POST /agency/hand-overs/<uuid:hand_over_id>/try": "may decide_life",
    "POST /agency/hand-overs/<uuid:hand_over_id>/withdraw": "may decide_life",
    "GET /agency/leaving": "may decide_life",
    "POST /agency/leaving": "may decide_life",
    "POST /agency/leaving/<uuid:departure_id>/agree": "may decide_life",
    "POST /agency/leaving/<uuid:departure_id>/withdraw": "may decide_life",
    "GET /agency/records": "may decide_life",
    "POST /agency/records": "may decide_life",
    "GET /agency/records/<uuid:archive_id>": "may decide_life",
    "POST /agency/records/<uuid:archive_id>": "may decide_life",
    "GET /agency": "may read_agency",
    "GET /agency/clients": "may manage_clients",
    "GET /agency/clients/<uuid:client_id>": "may manage_clients",
    "POST /agency/clients/<uuid:client_id>/end": "may manage_clients",
    "POST /agency/clients/<uuid:client_id>/rotate": "may manage_clients",
    "GET /agency/clients/new": "may manage_clients",
    "POST /agency/clients/new": "may manage_clients",
    "GET /agency/invitations/<uuid:invitation_id>": "may read_people",
    "POST /agency/invitations/<uuid:invitation_id>/renew": "may manage_people",
    "POST /agency/invitations/<uuid:invitation_id>/withdraw": "may manage_people",
    "GET /agency/invitations/new": "may manage_people",
    "POST /agency/invitations/new": "may manage_people",
    "GET /agency/people": "may read_people",
    "GET /agency/people/<uuid:person_id>": "may read_people",
    "GET /agency/people/<uuid:person_id>/leave": "may manage_people",
    "POST /agency/people/<uuid:person_id>/leave": "may manage_people",
    "GET /agency/people/<uuid:person_id>/roles": "may manage_people",
    "POST /agency/people/<uuid:person_id>/roles": "may manage_people",
    "POST /agency/people/<uuid:person_id>/sign-out": "may manage_people",
    "GET /papers": "may read_papers",
    "GET /papers/answers": "may read_papers",
    "GET /papers/answers/<code>": "may keep_papers",
    "POST /papers/answers/<code>": "may keep_papers",
    "GET /papers/<any(map, agreement, assessment, adopters, families, staff):kind>": "may read_papers",
    "POST /papers/<any(map, agreement, assessment, adopters, families, staff):kind>/versions": "may keep_papers",
    "GET /papers/versions/<uuid:paper_id>": "may read_papers",
    "GET /papers/versions/<uuid:paper_id>/paper.pdf": "may read_papers",
    "POST /papers/versions/<uuid:paper_id>/sign": "may sign_papers",
    "GET /audit": "may read_audit",
    "POST /audit": "may read_audit",
    "GET /audit/people": "may read_audit",
    "GET /audit/people/<uuid:record_id>": "may read_audit",
    "GET /audit/people/<uuid:record_id>.<any(xlsx, csv):file_format>": "may read_audit",
    "GET /availability": "may confirm_availability",
    "GET /<any(groups, households):kind>/<uuid:record_id>/bars": "may set_bars",
    "POST /<any(groups, households):kind>/<uuid:record_id>/bars": "may set_bars",
    "GET /<any(groups, households):kind>/<uuid:record_id>/glass": "may break_glass",
    "GET /<any(groups, households):kind>/<uuid:record_id>/known": "may read_groups",
    "POST /<any(groups, households):kind>/<uuid:record_id>/known": "may read_groups",
    "GET /<any(groups, households):kind>/<uuid:record_id>/sharing": "may read_groups",
    "POST /<any(groups, households):kind>/<uuid:record_id>/sharing": "may share_records",
    "GET /bars": "may set_bars",
    "GET /bars/<uuid:bar_id>/lift": "may lift_bars",
    "POST /bars/<uuid:bar_id>/lift": "may lift_bars",
    "GET /fees": "may read_tariffs",
    "GET /fees/invoices": "may read_fees",
    "GET /fees/invoices/new": "may keep_fees",
    "POST /fees/invoices/new": "may keep_fees",
    "GET /fees/invoices/<uuid:invoice_id>": "may read_fees",
    "GET /fees/invoices/<uuid:invoice_id>/invoice.<any(pdf, xml):file_format>": "may read_fees",
    "GET /fees/invoices/<uuid:invoice_id>/credit": "may keep_fees",
    "POST /fees/invoices/<uuid:invoice_id>/credit": "may keep_fees",
    "GET /fees/invoices/<uuid:invoice_id>/approve": "may keep_fees",
    "POST /fees/invoices/<uuid:invoice_id>/approve": "may keep_fees",
    "GET /fees/invoices/<uuid:invoice_id>/dispute": "may keep_fees",
    "POST /fees/invoices/<uuid:invoice_id>/dispute": "may keep_fees",
    "GET /fees/account": "may read_fees",
    "GET /fees/account/change": "may keep_fees",
    "POST /fees/account/change": "may keep_fees",
    "GET /fees/account/bank": "may keep_fees",
    "POST /fees/account/bank": "may keep_fees",
    "POST /fees/account/bank/<uuid:change_id>/approve": "may approve_fees",
    "POST /fees/account/bank/<uuid:change_id>/withdraw": "may keep_fees",
    "GET /fees/account/reminders": "may keep_fees",
    "POST /fees/account/reminders": "may keep_fees",
    "GET /fees/suppliers": "may read_fees",
    "GET /fees/suppliers/new": "may keep_fees",
    "POST /fees/suppliers/new": "may keep_fees",
    "GET /fees/agreements/<uuid:agreement_id>/order": "may keep_fees",
    "POST /fees/agreements/<uuid:agreement_id>/order": "may keep_fees",
    "GET /fees/agreements": "may read_fees",
    "POST /fees/agreements/draft/<uuid:link_id>": "may keep_fees",
    "GET /fees/agreements/<uuid:agreement_id>": "may read_fees",
    "GET /fees/agreements/<uuid:agreement_id>/agreement.pdf": "may read_fees",
    "POST /fees/agreements/<uuid:agreement_id>/sign": "may sign_fees",
    "POST /fees/agreements/<uuid:agreement_id>/price": "may keep_fees",
    "GET /fees/agreements/<uuid:agreement_id>/fee": "may keep_fees",
    "POST /fees/agreements/<uuid:agreement_id>/fee": "may keep_fees",
    "GET /fees/agreements/<uuid:agreement_id>/addenda/new": "may keep_fees",
    "POST /fees/agreements/<uuid:agreement_id>/addenda/new": "may keep_fees",
    "POST /fees/agreements/<uuid:agreement_id>/addenda/<int:position>/<any(sign, withdraw):act>": "may sign_fees",
    "GET /fees/cost": "may read_fees",
    "GET /fees/cost/<uuid:link_id>": "may read_fees",
    "GET /fees/ledger": "may read_fees",
    "GET /fees/periods": "may read_fees",
    "POST /fees/periods/<int:year>/<int:month>": "may keep_fees",
    "GET /fees/periods/<uuid:fee_period_id>": "may read_fees",
    "GET /fees/periods/<uuid:fee_period_id>/reopen": "may keep_fees",
    "POST /fees/periods/<uuid:fee_period_id>/reopen": "may keep_fees",
    "POST /fees/periods/<uuid:fee_period_id>/withdraw": "may keep_fees",
    "POST /fees/periods/<uuid:fee_period_id>/agree": "may approve_fees",
    "GET /fees/agreements/<uuid:agreement_id>/exceptions": "may read_fees",
    "GET /fees/agreements/<uuid:agreement_id>/exceptions/new": "may keep_fees",
    "POST /fees/agreements/<uuid:agreement_id>/exceptions/new": "may keep_fees",
    "POST /fees/exceptions/<uuid:fee_exception_id>": "may approve_fees",
    "GET /fees/limits/<any(finance_officer, manager):role>": "may approve_fees",
    "POST /fees/limits/<any(finance_officer, manager):role>": "may approve_fees",
    "POST /fees/limits/<any(finance_officer, manager):role>/asked": "may approve_fees",
    "GET /fees/payers": "may read_fees",
    "GET /fees/payers/new": "may approve_fees",
    "POST /fees/payers/new": "may approve_fees",
    "POST /fees/payers/<uuid:payer_id>/confirm": "may approve_fees",
    "GET /fees/payers/<uuid:payer_id>/end": "may approve_fees",
    "POST /fees/payers/<uuid:payer_id>/end": "may approve_fees",
    "GET /fees/rules": "may keep_tariffs",
    "POST /fees/rules": "may keep_tariffs",
    "GET /fees/rules/<uuid:swap_group_id>": "may keep_tariffs",
    "POST /fees/rules/<uuid:swap_group_id>": "may keep_tariffs",
    "GET /fees/tariffs": "may read_tariffs",
    "POST /fees/tariffs/adopt": "may keep_tariffs",
    "GET /fees/tariffs/new": "may keep_tariffs",
    "POST /fees/tariffs/new": "may keep_tariffs",
    "GET /fees/tariffs/<uuid:tariff_id>": "may read_tariffs",
    "GET /fees/tariffs/<uuid:tariff_id>/next": "may keep_tariffs",
    "POST /fees/tariffs/<uuid:tariff_id>/next": "may keep_tariffs",
    "GET /fees/tariffs/<uuid:tariff_id>/end": "may keep_tariffs",
    "POST /fees/tariffs/<uuid:tariff_id>/end": "may keep_tariffs",
    "POST /fees/tariffs/<uuid:tariff_id>/remove": "may keep_tariffs",
    "GET /fees/budget": "may read_fees",
    "GET /fees/budget/<int:year>/<any(pay, earn):way>": "may keep_fees",
    "POST /fees/budget/<int:year>/<any(pay, earn):way>": "may keep_fees",
    "GET /fees/held": "may keep_fees",
    "POST /fees/held/<uuid:invoice_id>": "may keep_fees",
    "GET /fees/held/<uuid:ledger_transaction_id>/back": "may keep_fees",
    "POST /fees/held/<uuid:ledger_transaction_id>/back": "may keep_fees",
    "GET /fees/journal": "may read_fees",
    "GET /fees/journal.csv": "may keep_fees",
    "GET /fees/journal/layout": "may keep_fees",
    "POST /fees/journal/layout": "may keep_fees",
    "GET /fees/matching": "may keep_fees",
    "GET /fees/matching.<any(xlsx, csv):file_format>": "may keep_fees",
    "GET /fees/matching/<uuid:remittance_line_id>": "may keep_fees",
    "POST /fees/matching/<uuid:remittance_line_id>": "may keep_fees",
    "GET /fees/matching/<uuid:remittance_line_id>/aside": "may keep_fees",
    "POST /fees/matching/<uuid:remittance_line_id>/aside": "may keep_fees",
    "GET /fees/matching/<uuid:remittance_line_id>/back": "may keep_fees",
    "POST /fees/matching/<uuid:remittance_line_id>/back": "may keep_fees",
    "POST /fees/matching/sure": "may keep_fees",
    "GET /fees/netting": "may read_fees",
    "GET /fees/netting/<uuid:netting_id>": "may read_fees",
    "POST /fees/netting/<uuid:netting_id>/confirm": "may keep_fees",
    "GET /fees/netting/<uuid:netting_id>/decline": "may keep_fees",
    "POST /fees/netting/<uuid:netting_id>/decline": "may keep_fees",
    "POST /fees/netting/among/<uuid:swap_group_id>": "may keep_fees",
    "POST /fees/netting/with/<uuid:other_agency_id>": "may keep_fees",
    "GET /fees/remittances": "may keep_fees",
    "GET /fees/remittances/<uuid:remittance_id>/back": "may keep_fees",
    "POST /fees/remittances/<uuid:remittance_id>/back": "may keep_fees",
    "POST /fees/remittances": "may keep_fees",
    "GET /fees/remittances/<uuid:remittance_id>": "may keep_fees",
    "POST /fees/remittances/<uuid:remittance_id>/again": "may keep_fees",
    "GET /fees/remittances/<uuid:remittance_id>/columns": "may keep_fees",
    "POST /fees/remittances/<uuid:remittance_id>/columns": "may keep_fees",
    "GET /fees/reports": "may read_fees",
    "GET /fees/savings": "may read_savings",
    "GET /fees/statements": "may read_fees",
    "GET /fees/statements/<uuid:fee_statement_id>": "may read_fees",
    "POST /fees/statements/<uuid:fee_statement_id>/agree": "may keep_fees",
    "GET /fees/statements/<uuid:fee_statement_id>/withdraw": "may keep_fees",
    "POST /fees/statements/<uuid:fee_statement_id>/withdraw": "may keep_fees",
    "GET /fees/statements/lines/<uuid:ledger_transaction_id>": "may read_fees",
    "GET /fees/statements/with/<uuid:other_agency_id>": "may read_fees",
    "POST /fees/statements/with/<uuid:other_agency_id>": "may keep_fees",
    "GET /glass": "may break_glass",
    "POST /glass": "may break_glass",
    "GET /glass/all": "may read_glass",
    "GET /glass/<uuid:glass_id>": "may judge_glass",
    "POST /glass/<uuid:glass_id>": "may judge_glass",
    "GET /shut-out": "may read_groups",
    "GET /swaps": "may read_swaps",
    "GET /swaps/<uuid:swap_group_id>": "may read_swaps",
    "POST /swaps/<uuid:swap_group_id>/agree": "may agree_swaps",
    "GET /swaps/<uuid:swap_group_id>/end": "may keep_swaps",
    "POST /swaps/<uuid:swap_group_id>/end": "may keep_swaps",
    "GET /swaps/<uuid:swap_group_id>/nettings": "may keep_swaps",
    "POST /swaps/<uuid:swap_group_id>/nettings": "may keep_swaps",
    "GET /swaps/<uuid:swap_group_id>/nettings/<uuid:netting_id>/decline": "may keep_swaps",
    "POST /swaps/<uuid:swap_group_id>/nettings/<uuid:netting_id>/decline": "may keep_swaps",
    "GET /swaps/<uuid:swap_group_id>/opportunities": "may read_opportunities",
    "GET /swaps/<uuid:swap_group_id>/opportunities/<uuid:group_id>/<uuid:household_id>": "may read_opportunities",
    "POST /swaps/<uuid:swap_group_id>/opportunities/<uuid:group_id>/<uuid:household_id>": "may read_opportunities",
    "GET /swaps/new": "may keep_swaps",
    "POST /swaps/new": "may keep_swaps",
    "GET /monitoring": "may read_monitoring",
    "GET /monitoring/<name>.<any(xlsx, csv):file_format>": "may read_monitoring",
    "GET /monitoring/all.xlsx": "may read_monitoring",
    "GET /monitoring/month": "may read_monitoring",
    "GET /monitoring/month.<any(xlsx, csv):file_format>": "may read_monitoring",
    "GET /monitoring/trends/<name>": "may read_monitoring",
    "GET /monitoring/trends/<name>.<any(xlsx, csv):file_format>": "may read_monitoring",
    "GET /timing": "may set_timing",
    "POST /timing": "may set_timing",
    "GET /breaches": "may keep_breaches",
    "GET /breaches/<uuid:breach_id>": "may keep_breaches",
    "POST /breaches/<uuid:breach_id>": "may keep_breaches",
    "GET /breaches/<uuid:breach_id>/record.json": "may keep_breaches",
    "GET /breaches/new": "may keep_breaches",
    "POST /breaches/new": "may keep_breaches",
    "GET /documents": "may read_reports",
    "GET /documents/kept": "may keep_reports",
    "GET /documents/<uuid:document_id>/report.pdf": "may read_reports",
    "GET /documents/<uuid:document_id>/undertaking": "may read_reports",
    "POST /documents/<uuid:document_id>/undertaking": "may read_reports",
    "GET /export/<any(households, children):kind>.<any(xlsx, csv):file_format>": "may export_records",
    "GET /grants/<uuid:grant_id>/decide": "may keep_reports",
    "POST /grants/<uuid:grant_id>/decide": "may keep_reports",
    "GET /grants/<uuid:grant_id>/revoke": "may keep_reports",
    "POST /grants/<uuid:grant_id>/revoke": "may keep_reports",
    "GET /groups": "may read_groups",
    "POST /groups": "may read_groups",
    "GET /groups/<uuid:group_id>": "may read_groups",
    "GET /groups/<uuid:group_id>/cpr": "may read_reports",
    "POST /groups/<uuid:group_id>/cpr": "may read_reports",
    "GET /groups/<uuid:group_id>/identity": "may read_identity",
    "GET /groups/<uuid:record_id>/audit": "may read_audit",
    "GET /groups/<uuid:record_id>/audit.<any(xlsx, csv):file_format>": "may read_audit",
    "GET /groups/<uuid:group_id>/why": "may read_ranking",
    "GET /health/live": "anyone",
    "GET /health/ready": "anyone",
    "GET /home": "acting for an agency",
    "GET /households": "may read_households",
    "POST /households": "may read_households",
    "GET /households/<uuid:household_id>": "may read_households",
    "GET /households/<uuid:household_id>/agreements": "may read_agreements",
    "GET /households/<uuid:household_id>/agreements/<uuid:entry_id>/withdraw": "may keep_agreements",
    "POST /households/<uuid:household_id>/agreements/<uuid:entry_id>/withdraw": "may keep_agreements",
    "GET /households/<uuid:household_id>/agreements/new": "may keep_agreements",
    "POST /households/<uuid:household_id>/agreements/new": "may keep_agreements",
    "GET /households/<uuid:household_id>/availability": "may confirm_availability",
    "POST /households/<uuid:household_id>/availability": "may confirm_availability",
    "GET /households/<uuid:household_id>/identity": "may read_identity",
    "GET /households/<uuid:household_id>/par": "may read_reports",
    "POST /households/<uuid:household_id>/par": "may read_reports",
    "GET /households/<uuid:record_id>/audit": "may read_audit",
    "GET /households/<uuid:record_id>/audit.<any(xlsx, csv):file_format>": "may read_audit",
    "GET /imports": "may import_households",
    "POST /imports": "may import_households",
    "GET /imports/headings/<any(households, children):kind>": "may import_households",
    "GET /imports/<uuid:run_id>": "may import_households",
    "POST /imports/<uuid:run_id>/again": "may import_households",
    "POST /imports/<uuid:run_id>/cancel": "may import_households",
    "GET /imports/<uuid:run_id>/columns": "may import_households",
    "POST /imports/<uuid:run_id>/columns": "may import_households",
    "GET /imports/<uuid:run_id>/refusals.xlsx": "may import_households",
    "GET /imports/<uuid:run_id>/undo": "may import_households",
    "POST /imports/<uuid:run_id>/undo": "may import_households",
    "POST /imports/<uuid:run_id>/real": "may import_households",
    "GET /links": "may read_links",
    "GET /links/new": "may keep_links",
    "POST /links/new": "may keep_links",
    "GET /links/<uuid:link_id>": "may read_links",
    "GET /notices": "may read_links or read_fees",
    "POST /notices": "may read_links or read_fees",
    "GET /links/chase": "may keep_links",
    "POST /links/chase": "may keep_links",
    "GET /links/mine": "may read_links",
    "GET /calendar/<secret>.ics": "anyone",
    "GET /notices/calendar": "may read_links",
    "POST /notices/calendar": "may read_links",
    "POST /notices/calendar/withdraw": "may read_links",
    "GET /links/<uuid:link_id>/<any(visit, linking_meeting, panel, introductions):kind>.ics": "may read_links",
    "GET /links/<uuid:link_id>/notes": "may read_links",
    "POST /links/<uuid:link_id>/notes": "may read_links",
    "GET /links/<uuid:link_id>/thread": "may read_links",
    "POST /links/<uuid:link_id>/thread": "may read_links",
    "GET /links/<uuid:link_id>/thread/files/<uuid:file_id>": "may read_links",
    "GET /links/<uuid:link_id>/ask/<any(par, cpr):kind>": "may read_reports",
    "POST /links/<uuid:link_id>/ask/<any(par, cpr):kind>": "may read_reports",
    "GET /links/<uuid:link_id>/steps/<any(consider, shortlist, visit, meet, go_to_panel, match, introduce, place, foster, name_carer, step_back):name>": "may keep_links",  # noqa: E501
    "POST /links/<uuid:link_id>/steps/<any(consider, shortlist, visit, meet, go_to_panel, match, introduce, place, foster, name_carer, step_back):name>": "may keep_links",  # noqa: E501
    "GET /links/<uuid:link_id>/days/new": "may keep_links",
    "POST /links/<uuid:link_id>/days/new": "may keep_links",
    "GET /links/<uuid:link_id>/clocks/<any(decision, told_orally, told_in_writing, report_before_panel):name>": "may keep_links",  # noqa: E501
    "POST /links/<uuid:link_id>/clocks/<any(decision, told_orally, told_in_writing, report_before_panel):name>": "may keep_links",  # noqa: E501
    "GET /groups/<uuid:group_id>/plan": "may read_links",
    "GET /groups/<uuid:group_id>/plan/change": "may change_plan",
    "POST /groups/<uuid:group_id>/plan/change": "may change_plan",
    "GET /groups/<uuid:group_id>/plan/wait": "may change_plan",
    "POST /groups/<uuid:group_id>/plan/wait": "may change_plan",
    "GET /groups/<uuid:group_id>/split": "may change_plan",
    "POST /groups/<uuid:group_id>/split": "may change_plan",
    "GET /groups/<uuid:group_id>/join": "may change_plan",
    "POST /groups/<uuid:group_id>/join": "may change_plan",
    "GET /groups/<uuid:group_id>/legal-holds/new": "may keep_legal_holds",
    "POST /groups/<uuid:group_id>/legal-holds/new": "may keep_legal_holds",
    "GET /groups/<uuid:group_id>/legal-holds/<uuid:hold_id>/lift": "may keep_legal_holds",
    "POST /groups/<uuid:group_id>/legal-holds/<uuid:hold_id>/lift": "may keep_legal_holds",
    "GET /groups/<uuid:group_id>/children/<uuid:child_id>/birth": "may keep_links",
    "POST /groups/<uuid:group_id>/children/<uuid:child_id>/birth": "may keep_links",
    "GET /groups/<uuid:group_id>/marks/new": "may keep_links",
    "POST /groups/<uuid:group_id>/marks/new": "may keep_links",
    "GET /groups/<uuid:group_id>/clocks/<any(match, match_relinquished, refer_child):name>": "may keep_links",
    "POST /groups/<uuid:group_id>/clocks/<any(match, match_relinquished, refer_child):name>": "may keep_links",
    "GET /households/<uuid:household_id>/times": "may read_links",
    "GET /households/<uuid:household_id>/times/referred": "may keep_links",
    "POST /households/<uuid:household_id>/times/referred": "may keep_links",
    "GET /households/<uuid:household_id>/times/why": "may keep_links",
    "POST /households/<uuid:household_id>/times/why": "may keep_links",
    "GET /declines/new": "may keep_links",
    "POST /declines/new": "may keep_links",
    "GET /declines/<uuid:decline_id>/take-back": "may keep_links",
    "POST /declines/<uuid:decline_id>/take-back": "may keep_links",
    "GET /links/<uuid:link_id>/end": "may keep_links",
    "POST /links/<uuid:link_id>/end": "may keep_links",
    "GET /links/<uuid:link_id>/offer/<any(par, cpr):kind>": "may keep_reports",
    "POST /links/<uuid:link_id>/offer/<any(par, cpr):kind>": "may keep_reports",
    "GET /panel": "may read_panel",
    "GET /panel/<uuid:reader_id>": "may read_panel",
    "GET /panel/<uuid:reader_id>/advice": "may advise_panel",
    "POST /panel/<uuid:reader_id>/advice": "may advise_panel",
    "GET /panel/<uuid:reader_id>/decision": "may decide_match",
    "POST /panel/<uuid:reader_id>/decision": "may decide_match",
    "GET /panel/<uuid:reader_id>/papers/<uuid:paper_id>/paper.pdf": "may read_panel",
    "GET /panel/<uuid:reader_id>/undertaking": "may read_panel",
    "POST /panel/<uuid:reader_id>/undertaking": "may read_panel",
    "GET /links/<uuid:link_id>/panel": "may keep_panel",
    "GET /links/<uuid:link_id>/panel/papers/<uuid:paper_id>/paper.pdf": "may read_reports",
    "GET /links/<uuid:link_id>/panel/reports": "may keep_reports",
    "POST /links/<uuid:link_id>/panel/reports": "may keep_reports",
    "GET /links/<uuid:link_id>/panel/placement-report": "may keep_panel",
    "POST /links/<uuid:link_id>/panel/placement-report": "may keep_panel",
    "GET /links/<uuid:link_id>/panel/minutes": "may keep_panel",
    "POST /links/<uuid:link_id>/panel/minutes": "may keep_panel",
    "GET /links/<uuid:link_id>/panel/readers/new": "may keep_panel",
    "POST /links/<uuid:link_id>/panel/readers/new": "may keep_panel",
    "GET /links/<uuid:link_id>/panel/readers/<uuid:reader_id>/end": "may keep_panel",
    "POST /links/<uuid:link_id>/panel/readers/<uuid:reader_id>/end": "may keep_panel",
    "GET /links/<uuid:link_id>/panel/papers/<uuid:paper_id>/take-back": "may keep_reports",
    "POST /links/<uuid:link_id>/panel/papers/<uuid:paper_id>/take-back": "may keep_reports",
    "GET /links/<uuid:link_id>/placement": "may read_links",
    "GET /links/<uuid:link_id>/placement/adopters": "may read_reports",
    "POST /links/<uuid:link_id>/placement/adopters": "may keep_reports",
    "GET /links/<uuid:link_id>/placement/adopters/report.pdf": "may read_reports",
    "GET /links/<uuid:link_id>/placement/introductions": "may read_links",
    "POST /links/<uuid:link_id>/placement/introductions/<uuid:meeting_id>/remove": "may keep_links",
    "GET /links/<uuid:link_id>/placement/disruption": "may keep_links",
    "POST /links/<uuid:link_id>/placement/disruption": "may keep_links",
    "GET /links/<uuid:link_id>/placement/disruption/review": "may keep_links",
    "POST /links/<uuid:link_id>/placement/disruption/review": "may keep_links",
    "GET /links/<uuid:link_id>/placement/introductions/new": "may keep_links",
    "POST /links/<uuid:link_id>/placement/introductions/new": "may keep_links",
    "GET /links/<uuid:link_id>/placement/notes": "may keep_links",
    "POST /links/<uuid:link_id>/placement/notes": "may keep_links",
    "GET /links/<uuid:link_id>/placement/order": "may keep_links",
    "POST /links/<uuid:link_id>/placement/order": "may keep_links",
    "GET /links/<uuid:link_id>/placement/plan": "may keep_links",
    "POST /links/<uuid:link_id>/placement/plan": "may keep_links",
    "GET /links/<uuid:link_id>/placement/reviews/<which>": "may keep_links",
    "POST /links/<uuid:link_id>/placement/reviews/<which>": "may keep_links",
    "GET /adoption-records/<number>": "may read_adoption_records",
    "GET /adoption-records/<number>/record.json": "may read_adoption_records",
    "GET /adoption-records/<number>/<any(par, cpr):kind>.pdf": "may read_adoption_records",
    "GET /links/<uuid:link_id>/seal": "may seal_adoptions",
    "POST /links/<uuid:link_id>/seal": "may seal_adoptions",
    "POST /links/<uuid:link_id>/seal/withdraw": "may seal_adoptions",
    "GET /sealings": "may read_certificates",
    "GET /sealings/<number>": "may read_certificates",
    "GET /sealings/<number>/certificate.pdf": "may read_certificates",
    "GET /meetings": "may read_meetings",
    "GET /meetings/new": "may arrange_meetings",
    "POST /meetings/new": "may arrange_meetings",
    "GET /meetings/<uuid:meeting_id>": "may read_meetings",
    "GET /meetings/<uuid:meeting_id>/actions/new": "may keep_actions",
    "POST /meetings/<uuid:meeting_id>/actions/new": "may keep_actions",
    "POST /meetings/<uuid:meeting_id>/jobs/<uuid:job_id>/again": "may build_pack",
    "POST /meetings/<uuid:meeting_id>/packs": "may build_pack",
    "GET /needs": "may read_ranking",
    "GET /packs/<uuid:pack_id>/<any(pdf, xlsx):kind>": "may read_pack",
    "GET /policy": "may read_ranking",
    "GET /pool": "may read_pool_view",
    "GET /privacy": "may read_retention",
    "GET /rectifications": "may answer_subjects",
    "GET /rectifications/<uuid:row_id>": "may answer_subjects",
    "POST /rectifications/<uuid:row_id>": "may answer_subjects",
    "GET /rectifications/new": "may answer_subjects",
    "POST /rectifications/new": "may answer_subjects",
    "GET /retention": "may read_retention",
    "GET /retention/due": "may read_retention",
    "POST /retention/due": "may keep_retention",
    "GET /retention/holds": "may keep_retention",
    "GET /retention/holds/<uuid:hold_id>/lift": "may keep_retention",
    "POST /retention/holds/<uuid:hold_id>/lift": "may keep_retention",
    "GET /retention/holds/new": "may keep_retention",
    "POST /retention/holds/new": "may keep_retention",
    "GET /retention/orders": "may read_retention",
    "GET /retention/orders/<uuid:order_id>/aside": "may keep_retention",
    "POST /retention/orders/<uuid:order_id>/aside": "may keep_retention",
    "GET /retention/orders/<uuid:order_id>/decide": "may approve_destruction",
    "POST /retention/orders/<uuid:order_id>/decide": "may approve_destruction",
    "GET /retention/orders/new": "may keep_retention",
    "POST /retention/orders/new": "may keep_retention",
    "GET /retention/rules/<any(adoption_record, household_not_placed, group_not_placed, import_file):record_class>": (
        "may keep_retention"
    ),
    "POST /retention/rules/<any(adoption_record, household_not_placed, group_not_placed, import_file):record_class>": (
        "may keep_retention"
    ),
    "GET /retention/runs/<uuid:run_id>": "may read_retention",
    "POST /retention/runs/<uuid:run_id>": "may approve_destruction",
    "GET /sign-in": "anyone",
    "POST /sign-in": "anyone",
    "GET /sign-in/answer": "anyone",
    "GET /sign-in/answer/<mark>": "anyone",
    "GET /sign-in/with/<uuid:provider_id>": "anyone",
    "GET /sign-in/with/default": "anyone",
    "POST /back-channel-logout": "anyone",
    "POST /back-channel-logout/<mark>": "anyone",
    "GET /agency/sign-in": "may manage_providers",
    "GET /agency/sign-in/new": "may manage_providers",
    "POST /agency/sign-in/new": "may manage_providers",
    "GET /agency/sign-in/<uuid:provider_id>": "may manage_providers",
    "GET /agency/sign-in/<uuid:provider_id>/try": "may manage_providers",
    "POST /agency/sign-in/<uuid:provider_id>/<any(on, off, alone, beside):step>": "may manage_providers",
    "GET /agency/sign-in/<uuid:provider_id>/roles": "may manage_providers",
    "POST /agency/sign-in/<uuid:provider_id>/roles": "may manage_providers",
    "POST /agency/sign-in/domains": "may manage_providers",
    "POST /agency/sign-in/domains/<uuid:domain_id>/remove": "may manage_providers",
    "GET /e-mail-domains": "may confirm_domains",
    "POST /e-mail-domains/<uuid:domain_id>/confirm": "may confirm_domains",
    "GET /sign-ins": "signed in",
    "POST /sign-ins/<uuid:session_id>/end": "signed in",
    "POST /sign-ins/end-others": "signed in",
    "POST /sign-out": "anyone",
    "GET /signed-out": "anyone",
    "GET /static/<path:filename>": "anyone",
    "GET /subject-access": "may answer_subjects",
    "GET /subject-access/<uuid:request_id>": "may answer_subjects",
    "GET /subject-access/<uuid:request_id>/answer.<any(pdf, json):kind>": "may answer_subjects",
    "GET /subject-access/<uuid:request_id>/extend": "may answer_subjects",
    "POST /subject-access/<uuid:request_id>/extend": "may answer_subjects",
    "GET /subject-access/<uuid:request_id>/parts/<uuid:item_id>": "may answer_subjects",
    "POST /subject-access/<uuid:request_id>/parts/<uuid:item_id>": "may answer_subjects",
    "POST /subject-access/<uuid:request_id>/<any(gather, answer, close):what>": "may answer_subjects",
    "GET /subject-access/new": "may answer_subjects",
    "POST /subject-access/new": "may answer_subjects",
}
PUBLIC = {route for route, access in CENSUS.items() if access == "anyone"}


class TestListAccess:
    def test_is_the_census(self) -> None:
        assert list_access(create_app(make_settings())) == CENSUS | API_CENSUS

    def test_refuses_a_view_that_does_not_say(self) -> None:
        app = create_app(make_settings())
        app.add_url_rule("/forgotten", view_func=lambda: "open to all", endpoint="forgotten")

        with pytest.raises(AccessUndeclared, match="forgotten"):
            list_access(app)


class TestSignedIn:
    @pytest.mark.parametrize("route", sorted(set(CENSUS) - PUBLIC))
    def test_sends_everyone_else_to_sign_in(self, route: str, database: Database) -> None:
        method, path = route.split(maxsplit=1)

        response = without_tokens(database).open(filled(path), method=method)

        assert (response.status_code, response.location) == (303, "/")

    def test_lets_in_no_invented_token(self, visitor: Visitor) -> None:
        visitor.client.set_cookie("concord", "a-token-that-nobody-was-given")

        response = visitor.get("/home", follow_redirects=True)

        assert response.request.path == "/"
        assert visitor.page
        assert "You were signed out" in visitor.page.text

    @pytest.mark.parametrize("token", ["", "0", "x" * 3000, "%00", "'; DROP TABLE person; --"])
    def test_survives_absurd_tokens(self, token: str, visitor: Visitor) -> None:
        visitor.client.set_cookie("concord", token)

        assert visitor.get("/home").status_code == 303


class TestMay:
    def test_shows_the_page_to_the_role(self, guarded: Guarded, factories: Factories) -> None:
        finder = factories.tenant(factories.consortium(), roles=frozenset({Role.FAMILY_FINDER}))

        assert guarded(finder).get("/guarded").status_code == 200

    def test_refuses_other_roles_in_words(self, guarded: Guarded, factories: Factories) -> None:
        officer = factories.tenant(factories.consortium(), roles=frozenset({Role.FINANCE_OFFICER}))
        visitor = guarded(officer)

        response = visitor.get("/guarded")

        assert response.status_code == 403
        assert visitor.page
        assert "Your role does not let you import children" in visitor.page.text


Guarded = Callable[[Tenant], Visitor]


@pytest.fixture(scope="module")
def guarded(database: Database) -> Guarded:
    app = create_app(make_settings(), database)

    @may(Verb.IMPORT_CHILDREN)
    def view() -> ResponseReturnValue:
        return jsonify("fine")

    app.add_url_rule("/guarded", view_func=view, endpoint="guarded")
    return lambda tenant: Visitor(app).sign_in(database, tenant)


def filled(path: str) -> str:
    """Return an address that the route's template takes; there is no such record."""
    numbered = re.sub(r"<int:\w+>", "9", re.sub(r"<uuid:\w+>", str(UUID(int=1)), path))
    return re.sub(r"<any\((\w+)[^>]*>", r"\1", numbered)


def without_tokens(database: Database) -> FlaskClient:
    """Return a client whose forms need no token, so that it is the page itself that turns it away."""
    app = create_app(make_settings(), database)
    app.config["WTF_CSRF_ENABLED"] = False
    return app.test_client()
