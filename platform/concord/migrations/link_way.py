"""What revision 0031 holds a link to, whatever asks for it: the moves between states, and whose they are to make."""

from __future__ import annotations

from alembic import op

MOVES = (
    ("interest", "considering", "other"),
    ("considering", "shortlisted", "children"),
    ("shortlisted", "visiting", "children"),
    ("shortlisted", "linking_meeting", "children"),
    ("visiting", "linking_meeting", "children"),
    ("linking_meeting", "panel", "children"),
    ("panel", "matched", "children"),
    ("matched", "introductions", "children"),
    ("matched", "placed", "children"),
    ("introductions", "placed", "children"),
    ("placed", "ordered", "children"),
    ("placed", "disrupted", "children"),
    *(
        (state, "ended", "either")
        for state in (
            *("interest", "considering", "shortlisted", "visiting", "linking_meeting", "panel", "matched"),
            "introductions",
        )
    ),
)
"""From which state to which, and which side may: as the table of transitions has it, which a test holds it to."""
_ROWS = ", ".join(f"('{source}', '{target}', '{taker}')" for source, target, taker in MOVES)
# What the children's agency alone can see is asked here again: that its decision maker approved, and that no hold is.
_FUNCTION = f"""
    CREATE FUNCTION hold_link_to_its_way() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        taker text := 'children';
    BEGIN
        IF NEW.state <> OLD.state THEN
            taker := (SELECT m.taker FROM (VALUES {_ROWS}) m (source, target, taker)
                      WHERE m.source = OLD.state AND m.target = NEW.state);
        END IF;
        IF taker IS NULL OR (OLD.group_agency_id <> OLD.household_agency_id AND (
               (taker = 'children' AND scope_agency() IS DISTINCT FROM OLD.group_agency_id)
               OR (taker = 'other' AND scope_agency() IS NOT DISTINCT FROM OLD.started_by_id)))
           OR (NEW.state = 'matched' AND OLD.state <> 'matched' AND (
               SELECT d.approved FROM match_decision d WHERE d.link_id = OLD.id ORDER BY d.number DESC LIMIT 1)
               IS NOT TRUE)
           OR (NEW.state = 'placed' AND OLD.state <> 'placed' AND EXISTS (
               SELECT FROM legal_hold h WHERE h.sibling_group_id = OLD.sibling_group_id AND h.lifted_at IS NULL))
        THEN
            RAISE EXCEPTION 'a link does not move so' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END
    $$
"""


def hold_links_to_their_way() -> None:
    """Refuse what no row of the table of transitions allows, and what is the other side's to do."""
    op.execute(_FUNCTION)
    op.execute("REVOKE ALL ON FUNCTION hold_link_to_its_way() FROM PUBLIC")
    op.execute("""
        CREATE TRIGGER link_way BEFORE UPDATE OF state, path, fostered_on ON link FOR EACH ROW
        WHEN (current_user = 'concord_app'
            AND (OLD.state, OLD.path, OLD.fostered_on) IS DISTINCT FROM (NEW.state, NEW.path, NEW.fostered_on))
        EXECUTE FUNCTION hold_link_to_its_way()
    """)
