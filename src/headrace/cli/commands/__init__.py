"""Which module holds which commands, so that one command imports one module.

Each entry is a command as typed, then its aliases after a bar: ``get builds|build``.
"""

MODULES: dict[str, tuple[str, ...]] = {
    "agents": ("create agent", "delete agent", "get agents|agent", "patch agent"),
    "api": ("api",),
    "audit": ("download audit",),
    "auth": ("auth create-context", "auth current-context", "auth get-contexts", "auth use-context"),
    "annotations": (
        "annotate image|img",
        "create annotation",
        "delete annotation",
        "get annotation",
    ),
    "boards": (
        "create board",
        "create section",
        "delete board",
        "delete section",
        "get boards|board",
        "get sections|section",
        "patch board",
        "patch section",
    ),
    "builds": ("approve", "deny", "get builds|build", "logs", "restart", "terminate", "wait"),
    "cli_config": (
        "cli-config get",
        "cli-config help",
        "cli-config profile",
        "cli-config set",
        "cli-config show",
    ),
    "clusters": ("create clusters|cluster", "delete cluster|clusters", "generate image-pull-secret"),
    "completion": ("completion|completions",),
    "compositions": ("create composition|com", "delete composition|com", "replace composition|com"),
    "context_stores": (
        "create context helm-repository s3",
        "create context secret-store hashicorp-vault",
        "create context secret-store kubernetes",
        "create context secret-store kubernetes-runtime",
    ),
    "contexts": (
        "create context config",
        "create context git bitbucket",
        "create context git github",
        "create context git gitlab",
        "create context git stash",
        "create context helm-repository http",
        "create context secret",
        "create context secret-yaml",
        "create context yaml",
        "delete context|ctx",
        "get contexts|ctx|context",
        "patch context|ctx",
    ),
    "debugging": ("debug continue", "debug finish", "debug run", "debug step-over"),
    "documents": ("create pipeline|pip", "create step-type", "replace resource"),
    "environments": ("delete environment|env",),
    "helm_repos": ("create helm-repo", "delete helm-repo", "get helm-repo", "patch helm-repo"),
    "images": ("get images|img|image", "tag", "untag"),
    "lists": (
        "get clusters|cluster",
        "get compositions|com|composition",
        "get environments|env|environment",
        "get registry",
        "get system-runtime-environments|sys-re|system-runtime-environment",
        "get teams|team|tm",
    ),
    "open": ("open",),
    "pipelines": ("delete pipeline|pip", "get pipelines|pip|pipeline"),
    "platform_environments": (
        "assign system-runtime-environments|sys-re|system-runtime-environment",
        "unassign system-runtime-environments|sys-re|system-runtime-environment",
    ),
    "projects": (
        "create project",
        "delete project",
        "get projects|project",
        "patch project",
    ),
    "registries": ("create registry standard", "delete registry"),
    "releases": (
        "delete-release",
        "helm-promotion",
        "install-chart",
        "rollback-release",
        "set-helm-config",
        "test-release",
    ),
    "reports": ("get test-reports|test-report|tr",),
    "repositories": (
        "add repository|repo",
        "delete repository|repo",
        "get repository|repo",
    ),
    "run": ("run",),
    "runtime_environments": (
        "create runtime-environments|re|runtime-environment",
        "delete runtime-environments|re|runtime-environment",
        "diff runtime-environments|re|runtime-environment",
        "get runtime-environment-base-images|re-base-images",
        "get runtime-environments|re|runtime-environment",
        "patch runtime-environments|re|runtime-environment",
    ),
    "step_types": ("delete step-type", "get step-types|step-type"),
    "teams": (
        "create teams|team|tm",
        "delete teams|team|tm",
        "patch teams|team|tm",
        "synchronize teams|team|tm",
    ),
    "tokens": (
        "create token",
        "delete tokens|token",
        "get tokens|token",
        "patch tokens|token",
    ),
    "triggers": (
        "create trigger|t",
        "create trigger-event|te",
        "delete trigger|t",
        "delete trigger-event|te",
        "get trigger-events|trigger-event|te",
        "get trigger-types|trigger-type|tt",
        "get triggers|trigger|t",
    ),
    "validate": ("analyze", "validate"),
    "version": ("version",),
    "watch": ("watch",),
    "workflow_data": ("create workflow-data-item|wdi", "get workflow-data-item|wdi"),
}


def words_of(line: str) -> tuple[str, list[str]]:
    """Take an entry apart: ``get builds|build`` is the verb ``get`` and the names of the noun."""
    verb, _, names = line.rpartition(" ")
    return verb, names.split("|")
