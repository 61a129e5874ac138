"""The dossier's words in both languages; papers are handed in in both, so no catalogue of one language will do."""

from __future__ import annotations

from govhub.migration.itinerary.steps import Step
from govhub.migration.record.stages import Stage

LANGUAGES = ("zh", "en")
Pair = tuple[str, str]


def say(pair: Pair, language: str) -> str:
    """One of the two."""
    return pair[0] if language == "zh" else pair[1]


STEPS: dict[str, Pair] = {
    Step.APPLICATION: ("资源申请", "application for resources"),
    Step.TARGET: ("目标环境", "target"),
    Step.BACKUP: ("源端备份", "backup of the source"),
    Step.DATABASE_COPY: ("数据库复制", "copy of databases"),
    Step.FILE_COPY: ("文件复制", "copy of files"),
    Step.DEPLOYMENT: ("应用部署", "deployment"),
    Step.REPLICATION: ("增量同步", "replication"),
    Step.VERIFICATION: ("数据核验", "verification"),
    Step.CUTOVER_APPROVAL: ("割接审批", "go/no-go for the cutover"),
    Step.WINDOW: ("割接窗口", "window"),
    Step.WRITES_STOPPED: ("源端停写", "stop of writes"),
    Step.DRAINED: ("增量排空", "drain"),
    Step.FINAL_VERIFICATION: ("割接核验", "final verification"),
    Step.SWITCHED: ("业务切换", "switch"),
    Step.REVERSE_REPLICATION: ("反向同步", "reverse replication"),
    Step.SERVICE_TEST: ("业务测试", "test of the service"),
    Step.REHEARSAL_REMOVED: ("演练清理", "removal of the rehearsal"),
    Step.WRITES_ALLOWED: ("恢复写入", "writes allowed again"),
    Step.REPLICATION_REMOVED: ("停止同步", "removal of replication"),
    Step.TARGET_REMOVED: ("目标清理", "removal of the target"),
    Step.TARGET_WRITES_STOPPED: ("目标停写", "stop of writes on the target"),
    Step.REVERSE_DRAINED: ("反向排空", "reverse drain"),
    Step.REVERSE_VERIFICATION: ("回退核验", "verification of the way back"),
    Step.SWITCHED_BACK: ("业务回切", "switch back"),
    Step.ARCHIVE: ("源端归档", "archive of the source"),
    Step.WIPED: ("数据擦除", "wipe of the source"),
    Step.RELEASED: ("资源释放", "release of resources"),
    Step.TRIAL_RUN: ("试运行", "trial run"),
    Step.ACCEPTANCE: ("验收审批", "acceptance"),
    Step.RETIREMENT_APPROVAL: ("下线审批", "go/no-go for the retirement"),
}
STAGE_OF: dict[str, Stage] = {
    Step.APPLICATION: Stage.APPLIED,
    **dict.fromkeys((Step.TARGET, Step.BACKUP), Stage.PREPARED),
    **dict.fromkeys(
        (Step.DATABASE_COPY, Step.FILE_COPY, Step.DEPLOYMENT, Step.REPLICATION, Step.VERIFICATION), Stage.MOVED
    ),
    **dict.fromkeys(
        (
            Step.CUTOVER_APPROVAL,
            Step.WINDOW,
            Step.WRITES_STOPPED,
            Step.DRAINED,
            Step.FINAL_VERIFICATION,
            Step.SWITCHED,
            Step.REVERSE_REPLICATION,
            Step.SERVICE_TEST,
        ),
        Stage.TESTED,
    ),
    Step.TRIAL_RUN: Stage.TRIAL,
    Step.ACCEPTANCE: Stage.ACCEPTED,
}
ITINERARIES: dict[str, Pair] = {
    "rehearse": ("演练", "Rehearsal"),
    "migrate": ("迁移", "Migration"),
    "cancel": ("取消", "Cancellation"),
    "roll-back": ("回退", "Rollback"),
    "retire": ("下线", "Retirement"),
}
PARTIES: dict[str, Pair] = {
    "department": ("业务部门", "department"),
    "authority": ("主管单位", "authority"),
    "provider": ("云服务商", "provider"),
}
GATES: dict[str, Pair] = {
    "cutover": ("割接", "cutover"),
    "acceptance": ("验收", "acceptance"),
    "retirement": ("下线", "retirement"),
}
KINDS: dict[str, Pair] = {
    "migration-run-started": ("流程开始", "run begun"),
    "migration-run-mapped": ("流程换版", "run carried to a new version"),
    "migration-run-finished": ("流程结束", "run finished"),
    "plan-changed": ("方案变更", "plan changed"),
    "phase-started": ("阶段开始", "begun"),
    "phase-waiting": ("等待", "waiting"),
    "phase-finished": ("完成", "done"),
    "phase-failed": ("失败", "failed"),
    "approval-given": ("审批", "approval"),
    "stage-reached": ("阶段登记", "stage entered"),
    "evidence-added": ("补充证据", "evidence added"),
    "lease-taken-over": ("执行接管", "taken over by another worker"),
    "return-triggered": ("回退条件触发", "trigger of the return"),
    "return-held": ("自动回退暂停", "automatic return held or released"),
    "target-compared": ("割接后持续核对", "target compared with the source"),
}
TITLE: Pair = ("割接档案", "Migration dossier")
LAYOUT: Pair = (
    (
        "按调研、评估、方案、申请、准备、迁移、测试、试运行、验收、下线十个阶段编排,"
        "对应 GB/T 34079.2-2021 第 5 章(应用部署)与第 6 章(数据迁移)的过程与活动;"
        "该标准正文未随本软件提供,条款对应关系由验收方核定。全部内容由事件链得出。"
    ),
    (
        "Laid out by the ten stages from survey to retirement, which follow the processes and activities of"
        " GB/T 34079.2-2021, clauses 5 (application deployment) and 6 (data migration). The text of the standard does"
        " not come with this software: whoever accepts decides about the correspondence of clauses."
        " Everything here is derived from the chain of events."
    ),
)
COLUMNS: tuple[Pair, ...] = (
    ("序号", "No."),
    ("时间(UTC)", "Time (UTC)"),
    ("事项", "What"),
    ("结果", "Result"),
    ("经办人", "By"),
    ("证据摘要(SHA-256)", "Digest of the evidence (SHA-256)"),
    ("证据", "Evidence"),
)
APPROVAL_COLUMNS: tuple[Pair, ...] = (
    ("序号", "No."),
    ("时间(UTC)", "Time (UTC)"),
    ("环节", "Gate"),
    ("方", "Party"),
    ("姓名", "Name"),
    ("意见", "Decision"),
    ("理由", "Reason"),
    ("有效期至", "Holds until"),
    ("方案摘要", "Digest of the plan"),
    ("证据摘要", "Digest of the evidence"),
)
CHAIN_COLUMNS: tuple[Pair, ...] = (
    ("序号", "No."),
    ("时间(UTC)", "Time (UTC)"),
    ("事件", "Event"),
    ("流程", "Run"),
    ("事项", "What"),
    ("经办人", "By"),
    ("散列", "Hash"),
)
APPROVALS: Pair = ("三方审批", "Approvals of the three parties")
RETURNS: Pair = ("演练、取消与回退", "Rehearsals, cancellations and rollbacks")
CHAIN: Pair = ("事件链", "Chain of events")
NOTHING: Pair = ("本阶段没有记录。", "Nothing is recorded at this stage.")
SUMMARY: tuple[Pair, ...] = (
    ("系统", "System"),
    ("枢纽", "Hub"),
    ("当前阶段", "Stage"),
    ("业务位置", "Users are on"),
    ("方案摘要", "Digest of the plan"),
    ("事件数", "Events"),
    ("首个事件", "First event"),
    ("末个事件", "Last event"),
    ("链尾散列", "Last hash"),
)
TARGET: Pair = ("云上", "the target")
SOURCE: Pair = ("源端", "the source")
ENSURE: Pair = ("执行", "do")
WAIT: Pair = ("确认", "confirm")
