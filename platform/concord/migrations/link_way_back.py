"""What revision 0037 holds a link to beside the moves of 0031: a step back, and what must stand before a step leads on.

Each function is what the table of transitions asks of the step too. It stands here for whoever gets past the code.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.link_way import MOVES as ONWARD

BACK = (
    ("considering", "interest", "other"),
    ("shortlisted", "considering", "children"),
    ("visiting", "shortlisted", "children"),
    ("linking_meeting", "visiting", "children"),
    ("panel", "linking_meeting", "children"),
    ("introductions", "matched", "children"),
)
"""One step back: whose the step was takes it back."""
MOVES = (*ONWARD, *BACK)
"""From which state to which, and which side may: as the table of transitions has it, which a test holds it to."""
_ROWS = ", ".join(f"('{source}', '{target}', '{taker}')" for source, target, taker in MOVES)
_BACK = ", ".join(f"('{source}', '{target}')" for source, target, _ in BACK)
_TODAY = "(now() AT TIME ZONE 'UTC')::date"
# Only who has the children sees all of this, and only that agency takes these steps.
_WAY = f"""
    CREATE OR REPLACE FUNCTION hold_link_to_its_way() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        taker text := 'children';
        back boolean := (OLD.state, NEW.state) IN ({_BACK});
        onward boolean := NEW.state <> OLD.state AND NOT back;
    BEGIN
        IF NEW.state <> OLD.state THEN
            taker := (SELECT m.taker FROM (VALUES {_ROWS}) m (source, target, taker)
                      WHERE m.source = OLD.state AND m.target = NEW.state);
        END IF;
        IF taker IS NULL OR (OLD.group_agency_id <> OLD.household_agency_id AND (
               (taker = 'children' AND scope_agency() IS DISTINCT FROM OLD.group_agency_id)
               OR (taker = 'other' AND scope_agency() IS NOT DISTINCT FROM OLD.started_by_id)))
           OR (back AND (
               EXISTS (SELECT FROM document_grant g WHERE g.link_id = OLD.id AND g.revoked_at IS NULL
                   AND g.declined IS NULL AND g.kind = CASE OLD.state WHEN 'considering' THEN 'par'
                       WHEN 'linking_meeting' THEN 'cpr' END)
               OR (OLD.state = 'panel' AND EXISTS (SELECT FROM match_decision d WHERE d.link_id = OLD.id))))
           OR (onward AND NEW.state IN ('panel', 'matched') AND NOT EXISTS (
               SELECT FROM sibling_group g WHERE g.id = OLD.sibling_group_id AND g.shobpa_on <= {_TODAY}))
           OR (onward AND NEW.state = 'matched' AND (
               SELECT d.approved FROM match_decision d WHERE d.link_id = OLD.id ORDER BY d.number DESC LIMIT 1)
               IS NOT TRUE)
           OR (onward AND NEW.state = 'placed' AND (
               EXISTS (SELECT FROM legal_hold h
                       WHERE h.sibling_group_id = OLD.sibling_group_id AND h.lifted_at IS NULL)
               OR NOT EXISTS (SELECT FROM sibling_group g WHERE g.id = OLD.sibling_group_id AND (
                   g.legal_position IN ('order_granted', 'consent')
                   OR (g.placement_order_on <= {_TODAY} AND g.legal_position <> 'order_applied')))
               OR EXISTS (SELECT FROM child c WHERE c.sibling_group_id = OLD.sibling_group_id AND c.unborn)
               OR NOT EXISTS (SELECT FROM placement p WHERE p.link_id = OLD.id AND p.plan_agreed_on IS NOT NULL)))
        THEN
            RAISE EXCEPTION 'a link does not move so' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END
    $$
"""
# A cap may be passed for a reason, which stands in the step.
_CAPS = """
    CREATE FUNCTION hold_step_to_caps() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        IF EXISTS (SELECT FROM link l CROSS JOIN LATERAL pair_at_caps(l.sibling_group_id, l.household_id, l.id) c
                   WHERE l.id = NEW.link_id
                     AND CASE NEW.step WHEN 'start' THEN c.household_at_cap ELSE c.group_at_cap END)
        THEN
            RAISE EXCEPTION 'a cap is reached' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END
    $$
"""
# Who moved a link and why is asked for at the end of the transaction, when all of it is written.
_HISTORY = """
    CREATE FUNCTION hold_link_to_its_history() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        IF EXISTS (SELECT FROM link l WHERE l.id = NEW.id)
            AND NOT EXISTS (SELECT FROM link_step s WHERE s.link_id = NEW.id AND s.version = NEW.version
                AND s.from_state = OLD.state AND s.to_state = NEW.state)
        THEN
            RAISE EXCEPTION 'a link moves by a step' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NULL;
    END
    $$
"""


def hold_links_to_more() -> None:
    """Replace what 0031 holds a link to, and hold steps to caps and moves to their history."""
    op.execute(_WAY)
    for statement, name in ((_CAPS, "hold_step_to_caps"), (_HISTORY, "hold_link_to_its_history")):
        op.execute(statement)
        op.execute(f"REVOKE ALL ON FUNCTION {name}() FROM PUBLIC")
    op.execute("""
        CREATE TRIGGER link_step_caps BEFORE INSERT ON link_step FOR EACH ROW
        WHEN (current_user = 'concord_app' AND NEW.step IN ('start', 'consider') AND NEW.override IS NULL)
        EXECUTE FUNCTION hold_step_to_caps()
    """)
    op.execute("""
        CREATE CONSTRAINT TRIGGER link_history AFTER UPDATE OF state ON link DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (current_user = 'concord_app' AND OLD.state <> NEW.state)
        EXECUTE FUNCTION hold_link_to_its_history()
    """)
