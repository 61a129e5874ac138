"""Systems come one a row, with one workload each."""

from __future__ import annotations

import pytest

from importing.sheets import SYSTEM_HEAD, Desk, codes, outcomes

IMAGE = "registry.testcity.gov.internal/education/library:1.2"
ROW = f"library,图书馆,Library,education,装备科,2,2,{IMAGE},250m,512Mi"


def test_a_chinese_sheet_becomes_a_system_in_the_layout_of_the_file(desk: Desk) -> None:
    head = "标识,系统名称,英文名称,所属部门,责任处室,等级,等保级别,涉密,环境,镜像,核数,内存(单位),副本数,端口"
    before = desk.read("systems.yaml")
    result = desk.csv(
        f"{head}\nlibrary,图书馆,Library,教育局,装备科,二级,第二级,否,prod、test,{IMAGE},250m,512Mi,1,8080\n", "systems"
    )
    assert (outcomes(result), codes(result)) == (["library added"], [])
    assert desk.read("systems.yaml") == before + (
        "\n  - name: library\n    title: {zh: 图书馆, en: Library}\n    tenant: education\n"
        "    owner: 装备科\n    tier: 2\n    protection_level: 2\n"
        "    classified: false\n    environments: [prod, test]\n    workloads:\n"
        f"      - {{name: web, image: {IMAGE}, replicas: 1, cpu: 250m, memory: 512Mi, "
        "port: 8080}\n"
    )


def test_a_row_changes_the_only_workload_of_its_system(desk: Desk) -> None:
    result = desk.csv("name,replicas,port,users\nschool-enrolment,3,8080,900\n", "systems")
    assert outcomes(result) == ["school-enrolment updated"]
    system = desk.hub().model.systems[0]
    assert (system.workloads[0].replicas, system.users, len(system.workloads)) == (3, 900, 1)
    assert "# Everything is denied that is not declared here." in desk.read("systems.yaml")


def test_with_several_workloads_the_row_must_say_which(desk: Desk) -> None:
    assert desk.csv(f"{SYSTEM_HEAD},workload\n{ROW},web\n", "systems").ok
    added = desk.csv(f"name,workload,image,cpu,memory\nlibrary,search,{IMAGE},1,1Gi\n", "systems")
    assert (outcomes(added), codes(added)) == (["library updated"], [])
    assert [part.name for part in desk.hub().model.systems[-1].workloads] == ["web", "search"]
    unclear = desk.csv("name,replicas\nlibrary,1\n", "systems")
    assert codes(unclear) == ["IMP031", "IMP026"]
    assert outcomes(desk.csv("name,workload,replicas\nlibrary,search,1\n", "systems")) == ["library updated"]


@pytest.mark.parametrize("cell", ["maybe", "秘密", "?"])
def test_whether_a_system_is_classified_is_not_guessed(desk: Desk, cell: str) -> None:
    assert codes(desk.csv(f"{SYSTEM_HEAD},classified\n{ROW},{cell}\n", "systems")) == ["IMP031", "IMP021"]


def test_a_classified_system_is_refused(desk: Desk) -> None:
    assert codes(desk.csv(f"{SYSTEM_HEAD},涉密\n{ROW},是\n", "systems")) == ["IMP031", "SEC001"]


def test_two_departments_of_one_title_are_not_told_apart_by_guessing(desk: Desk) -> None:
    assert desk.csv("name,title_zh,title_en,quota\neducation-2,教育局,Second,small\n").ok
    result = desk.csv(f"{SYSTEM_HEAD}\n{ROW.replace('education,', '教育局,')}\n", "systems")
    assert "education and education-2" in result.rows[0].diagnostics[0].summary.replace(", ", " and ")


def test_importing_the_same_sheet_again_changes_nothing(desk: Desk) -> None:
    desk.csv(f"{SYSTEM_HEAD}\n{ROW}\n", "systems")
    again = desk.csv(f"{SYSTEM_HEAD}\n{ROW}\n", "systems")
    assert (outcomes(again), again.files) == (["library unchanged"], ())
