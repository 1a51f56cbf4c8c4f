"""The operations of the audit log."""

from headrace.http.auth import Caller
from headrace.http.routing import Connection, Example, Reply, Router
from headrace.http.scopes import Scope
from headrace.resources.audit import service
from headrace.resources.audit.schemas import AuditFileQuery, AuditPageOut, AuditPageQuery

router = Router("/audit", tag="audit")


@router.route(
    "GET",
    "",
    scope=Scope.AUDIT_READ,
    sdk="audit.list",
    admin=True,
    example=Example(query="entity=pipelines&limit=10"),
)
def list_audit(query: AuditPageQuery, caller: Caller, db: Connection) -> AuditPageOut:
    """List the calls that wrote in the account, the newest first.

    Who called what, when, from where, and how it was answered; refused calls are there, too. Bodies and
    query strings are not kept. A page is as quick as the first, however old.
    """
    return service.page(db, caller.account_id, query)


@router.route(
    "GET",
    "/download",
    scope=Scope.AUDIT_READ,
    sdk="audit.download",
    admin=True,
    example=Example(query="from=2026-01-01"),
)
def download_audit(query: AuditFileQuery, caller: Caller, db: Connection) -> Reply:
    """Download the audit log as CSV, the newest first, at most 100,000 entries."""
    text = service.file(db, caller.account_id, query)
    return Reply(text, media_type="text/csv")
