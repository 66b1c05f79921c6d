"""Which function does which kind of job: the one list of them."""

from __future__ import annotations

from collections.abc import Mapping

from matching.fee.event import EVENT_JOB
from matching.fee.invoice.reminder import JOB as REMINDERS_JOB
from matching.fee.remittance.remittance import REMITTANCE_JOB
from matching.fee.settlement import RUN_JOB
from matching.fee.tending import TENDING_JOB
from matching.intake.import_run import IMPORT_JOB
from matching.intake.undo import UNDO_JOB
from matching.notice import CLOCK_JOB, MAIL_JOB
from matching.pack import BUILD_ALL_JOB, BUILD_JOB
from matching.retention.run import RETENTION_JOB
from matching.sealing.record import GATHER_JOB, ROTATE_JOB
from matching.sharing import MOVE_JOB
from matching.subject_access.export import EXPORT_JOB
from tenants.hand_over import HAND_OVER_JOB
from workers.fee_run import settle_all, settle_event
from workers.fee_tending import look_at_agreements
from workers.hand_over import hand_over
from workers.import_file import import_file
from workers.import_undo import undo_file
from workers.invoice_reminding import remind_payers
from workers.mail import send_mail
from workers.notice_keeping import tell_of_clocks
from workers.pack_build import build_all_packs, build_pack
from workers.remittance_file import read_remittance
from workers.retention_run import destroy_run
from workers.sealing import gather_record, rotate_record
from workers.sharing import move_records
from workers.subject_export import make_answer
from workers.work import Handler

HANDLERS: Mapping[str, Handler] = {
    BUILD_JOB: build_pack,
    BUILD_ALL_JOB: build_all_packs,
    IMPORT_JOB: import_file,
    UNDO_JOB: undo_file,
    REMITTANCE_JOB: read_remittance,
    MOVE_JOB: move_records,
    RETENTION_JOB: destroy_run,
    EXPORT_JOB: make_answer,
    GATHER_JOB: gather_record,
    ROTATE_JOB: rotate_record,
    HAND_OVER_JOB: hand_over,
    MAIL_JOB: send_mail,
    CLOCK_JOB: tell_of_clocks,
    EVENT_JOB: settle_event,
    RUN_JOB: settle_all,
    TENDING_JOB: look_at_agreements,
    REMINDERS_JOB: remind_payers,
}
