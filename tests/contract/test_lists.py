"""Reading: shapes, selectors, paging, and the forms an answer can take."""

from __future__ import annotations

import base64
import json

import pytest

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"


def names(listed) -> list[str]:
    return [item["metadata"]["name"] for item in listed["items"]]


async def fill(put, make, core, count=5) -> None:
    for number in range(count):
        await put(f"{core}/configmaps", make.config_map(f"c{number}"))


async def test_a_list_names_its_type_once_for_kinds_of_kubernetes(api, core, put, make) -> None:
    made = await put(f"{core}/configmaps", make.config_map())
    listed = await api.get(f"{core}/configmaps")
    assert (listed["kind"], listed["apiVersion"]) == ("ConfigMapList", "v1")
    assert int(listed["metadata"]["resourceVersion"]) >= int(made["metadata"]["resourceVersion"])
    assert "continue" not in listed["metadata"]
    (item,) = [item for item in listed["items"] if item["metadata"]["name"] == "one"]
    assert item == {key: value for key, value in made.items() if key not in {"kind", "apiVersion"}}


async def test_a_list_names_the_type_of_every_custom_object(api, gateways, put, make) -> None:
    made = await put(f"{gateways}/gateways", make.gateway())
    listed = await api.get(f"{gateways}/gateways")
    assert (listed["kind"], listed["apiVersion"]) == ("GatewayList", "gateway.networking.k8s.io/v1")
    assert listed["items"] == [made]


async def test_an_object_read_by_name_is_the_one_that_was_answered_to_its_writer(api, core, put, make) -> None:
    made = await put(f"{core}/services", make.service())
    assert await api.get(f"{core}/services/shop") == made
    assert (made["kind"], made["apiVersion"]) == ("Service", "v1")


async def test_a_custom_object_is_read_in_every_served_version(api, gateways, put, make) -> None:
    await put(f"{gateways}/httproutes", make.route())
    older = await api.get(f"{gateways.replace('/v1/', '/v1beta1/')}/httproutes/shop")
    newer = await api.get(f"{gateways}/httproutes/shop")
    assert older["apiVersion"] == "gateway.networking.k8s.io/v1beta1"
    for part in ("spec", "kind"):
        assert older[part] == newer[part]
    assert older["metadata"]["uid"] == newer["metadata"]["uid"]


async def test_nothing_is_an_empty_list_with_a_version(api, core) -> None:
    listed = await api.get(f"{core}/services")
    assert listed["items"] == []
    assert int(listed["metadata"]["resourceVersion"]) > 0
    assert listed["metadata"].get("continue", "") == ""


async def test_a_namespace_that_is_not_there_is_empty_and_no_error(api) -> None:
    listed = await api.get("/api/v1/namespaces/nowhere-at-all/services")
    assert listed["items"] == []


@pytest.mark.parametrize("path", ["services/none", "pods/none"])
async def test_an_object_that_is_not_there_is_404_and_named(api, core, path) -> None:
    plural, name = path.split("/")
    code, body, _ = await api.call("GET", f"{core}/{path}")
    assert (code, body["kind"], body["status"], body["reason"]) == (404, "Status", "Failure", "NotFound")
    assert body["message"] == f'{plural} "{name}" not found'
    assert body["details"] == {"name": name, "kind": plural}


async def test_a_custom_object_that_is_not_there_is_named_with_its_group(api, gateways) -> None:
    code, body, _ = await api.call("GET", f"{gateways}/gateways/none")
    assert (code, body["reason"]) == (404, "NotFound")
    assert body["message"] == 'gateways.gateway.networking.k8s.io "none" not found'
    assert body["details"] == {"name": "none", "group": "gateway.networking.k8s.io", "kind": "gateways"}


@pytest.mark.parametrize(
    ("selector", "wanted"),
    [
        ("tier=edge", ["a", "b"]),
        ("tier==edge,zone", ["a"]),
        ("tier!=edge", ["c", "d"]),
        ("tier in (edge, inner)", ["a", "b", "c"]),
        ("tier notin (edge),tier", ["c"]),
        ("!tier", ["d"]),
        ("tier=", []),
        ("zone in (1)", ["a"]),
        ("example.org/owner=me", ["d"]),
        ("tier=edge,tier=inner", []),
    ],
)
async def test_labels_select(api, core, put, make, selector, wanted) -> None:
    labels = {
        "a": {"tier": "edge", "zone": "1"},
        "b": {"tier": "edge"},
        "c": {"tier": "inner"},
        "d": {"example.org/owner": "me"},
    }
    for name, its in labels.items():
        await put(f"{core}/services", make.service(name, labels=its))
    assert names(await api.get(f"{core}/services", params={"labelSelector": selector})) == wanted


@pytest.mark.parametrize("selector", ["tier in edge", "a=b=c", "=x", "a,,b", "-a=b", "a=b)"])
async def test_a_label_selector_that_cannot_be_read_is_400(api, core, selector) -> None:
    code, body, _ = await api.call("GET", f"{core}/services", params={"labelSelector": selector})
    assert (code, body["reason"], body["kind"]) == (400, "BadRequest", "Status")


@pytest.mark.parametrize(
    ("selector", "wanted"),
    [
        ("metadata.name=one", ["one"]),
        ("metadata.name!=one", ["two"]),
        ("metadata.name=one,metadata.namespace=elsewhere", []),
        ("metadata.name==two", ["two"]),
    ],
)
async def test_names_select(api, core, put, make, selector, wanted) -> None:
    for name in ("one", "two"):
        await put(f"{core}/services", make.service(name))
    assert names(await api.get(f"{core}/services", params={"fieldSelector": selector})) == wanted


async def test_a_namespace_selects_across_all(api, ns, core, put, make) -> None:
    await put(f"{core}/services", make.service("mine"))
    found = await api.get("/api/v1/services", params={"fieldSelector": f"metadata.namespace={ns}"})
    assert names(found) == ["mine"]


async def test_custom_objects_are_selected_by_name_and_namespace_alone(api, ns, gateways, put, make) -> None:
    for name in ("one", "two"):
        await put(f"{gateways}/gateways", make.gateway(name))
    everywhere = "/apis/gateway.networking.k8s.io/v1/gateways"
    found = await api.get(everywhere, params={"fieldSelector": f"metadata.name=two,metadata.namespace={ns}"})
    assert names(found) == ["two"]
    code, body, _ = await api.call("GET", everywhere, params={"fieldSelector": "spec.gatewayClassName=x"})
    assert (code, body["reason"]) == (400, "BadRequest")
    assert "field label not supported: spec.gatewayClassName" in body["message"]


@pytest.mark.parametrize(
    ("plural", "field"), [("services", "spec.sessionAffinity"), ("configmaps", "data.a"), ("pods", "spec.hostname")]
)
async def test_a_field_that_does_not_select_is_400(api, core, plural, field) -> None:
    code, body, _ = await api.call("GET", f"{core}/{plural}", params={"fieldSelector": f"{field}=x"})
    assert (code, body["reason"]) == (400, "BadRequest")
    assert f"field label not supported: {field}" in body["message"] or field in body["message"]


@pytest.mark.parametrize(
    ("selector", "wanted"),
    [("status.phase=Pending", ["proxy"]), ("status.phase!=Pending", []), ("spec.nodeName=", ["proxy"])],
)
async def test_pods_are_selected_by_phase_and_node(api, core, put, make, selector, wanted) -> None:
    await put(f"{core}/pods", make.pod())
    assert names(await api.get(f"{core}/pods", params={"fieldSelector": selector})) == wanted


async def test_pages_are_one_moment_although_objects_are_written_between_them(api, core, put, make) -> None:
    for number in range(5):
        await put(f"{core}/services", make.service(f"s{number}"))
    seen, counts, versions, token = [], [], set(), ""
    for _ in range(10):
        query = {"limit": "2"} | ({"continue": token} if token else {})
        page = await api.get(f"{core}/services", params=query)
        seen += names(page)
        versions.add(page["metadata"]["resourceVersion"])
        counts.append(page["metadata"].get("remainingItemCount"))
        await put(f"{core}/services", make.service(f"t{len(seen)}"))
        if len(seen) == 2:
            await api.call("DELETE", f"{core}/services/s4")
        token = page["metadata"].get("continue", "")
        if not token:
            break
    assert seen == ["s0", "s1", "s2", "s3", "s4"]
    assert counts == [3, 1, None]
    assert len(versions) == 1
    assert names(await api.get(f"{core}/services")) == ["s0", "s1", "s2", "s3", "t2", "t4", "t5"]


async def test_the_rest_can_be_read_in_one_page(api, core, put, make) -> None:
    await fill(put, make, core)
    first = await api.get(f"{core}/configmaps", params={"limit": "1", "labelSelector": ""})
    rest = await api.get(f"{core}/configmaps", params={"continue": first["metadata"]["continue"]})
    assert {"c0", "c1", "c2", "c3", "c4"} <= {*names(first), *names(rest)}
    assert not set(names(first)) & set(names(rest))
    assert rest["metadata"].get("continue", "") == ""


async def test_a_page_that_holds_everything_has_no_next(api, core, put, make) -> None:
    for name in ("one", "two"):
        await put(f"{core}/services", make.service(name))
    page = await api.get(f"{core}/services", params={"limit": "2"})
    assert (len(page["items"]), page["metadata"].get("continue", "")) == (2, "")
    assert "remainingItemCount" not in page["metadata"]


async def test_pages_of_a_selection_do_not_say_how_much_is_left(api, core, put, make) -> None:
    for number in range(5):
        await put(f"{core}/services", make.service(f"s{number}", labels={"odd": str(number % 2)}))
    first = await api.get(f"{core}/services", params={"limit": "2", "labelSelector": "odd=0"})
    assert names(first) == ["s0", "s2"]
    assert "remainingItemCount" not in first["metadata"]
    query = {"limit": "2", "labelSelector": "odd=0", "continue": first["metadata"]["continue"]}
    second = await api.get(f"{core}/services", params=query)
    assert (names(second), second["metadata"].get("continue", "")) == (["s4"], "")


@pytest.mark.parametrize("token", ["garbage", base64.urlsafe_b64encode(b"{}").decode(), "e30", "%"])
async def test_a_page_that_nobody_offered_is_400(api, core, token) -> None:
    code, body, _ = await api.call("GET", f"{core}/services", params={"limit": "1", "continue": token})
    assert (code, body["reason"], body["kind"]) == (400, "BadRequest", "Status")


async def test_a_page_of_a_forgotten_moment_is_410(api, server, gateways, put, make) -> None:
    for name in ("a", "b", "c"):
        await put(f"{gateways}/gateways", make.gateway(name))
    page = await api.get(f"{gateways}/gateways", params={"limit": "1"})
    await put(f"{gateways}/gateways", make.gateway("late"))
    await server.compact()
    query = {"limit": "1", "continue": older(page["metadata"]["continue"])}
    code, body, _ = await api.call("GET", f"{gateways}/gateways", params=query)
    assert (code, body["kind"], body.get("reason")) == (410, "Status", "Expired")


def older(token: str) -> str:
    """The token of the second moment ever, where its form is known: a cache may hold the latest ones."""
    held = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    if not isinstance(held, dict):
        return token
    return base64.urlsafe_b64encode(json.dumps(held | {"rv": 2}).encode()).decode().rstrip("=")


async def test_a_moment_and_a_page_cannot_both_be_asked_for(api, core, put, make) -> None:
    await fill(put, make, core, 2)
    page = await api.get(f"{core}/configmaps", params={"limit": "1"})
    query = {"continue": page["metadata"]["continue"], "resourceVersion": page["metadata"]["resourceVersion"]}
    code, body, _ = await api.call("GET", f"{core}/configmaps", params=query)
    assert (code, body["reason"]) == (400, "BadRequest")


async def test_any_version_that_was_is_recent_enough(api, core, put, make) -> None:
    made = await put(f"{core}/services", make.service())
    for version in ("0", made["metadata"]["resourceVersion"]):
        code, body, _ = await api.call("GET", f"{core}/services", params={"resourceVersion": version})
        assert code == 200
        assert body["kind"] == "ServiceList"
    query = {"resourceVersion": made["metadata"]["resourceVersion"], "resourceVersionMatch": "NotOlderThan"}
    assert names(await api.get(f"{core}/services", params=query)) == ["shop"]


async def test_how_versions_match_means_nothing_without_one(api, core) -> None:
    code, body, _ = await api.call("GET", f"{core}/services", params={"resourceVersionMatch": "NotOlderThan"})
    assert (code, body["reason"]) == (422, "Invalid")
    (cause,) = body["details"]["causes"]
    assert (cause["reason"], cause["field"]) == ("FieldValueForbidden", "resourceVersionMatch")
    assert (body["details"]["kind"], body["details"]["group"]) == ("ListOptions", "meta.k8s.io")


async def test_a_version_to_come_is_a_timeout_that_says_so(api, core) -> None:
    now = int((await api.get(f"{core}/services"))["metadata"]["resourceVersion"])
    query = {"resourceVersion": str(now + 100_000), "resourceVersionMatch": "NotOlderThan"}
    code, body, _ = await api.call("GET", f"{core}/services", params=query)
    assert (code, body["reason"]) == (504, "Timeout")
    assert body["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
    assert body["details"]["retryAfterSeconds"] == 1


@pytest.mark.parametrize("query", [{"resourceVersion": "abc"}, {"limit": "x"}, {"timeoutSeconds": "x", "watch": "1"}])
async def test_a_number_that_is_none_is_400(api, core, query) -> None:
    code, body, _ = await api.call("GET", f"{core}/services", params=query)
    assert (code, body["reason"]) == (400, "BadRequest")


async def test_a_table_has_a_row_per_object_and_a_cell_per_column(api, core, put, make) -> None:
    await put(f"{core}/pods", make.pod())
    table = await api.get(f"{core}/pods", headers={"Accept": TABLE})
    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert [column["name"] for column in table["columnDefinitions"]][:7] == [
        "Name",
        "Ready",
        "Status",
        "Restarts",
        "Age",
        "IP",
        "Node",
    ]
    (row,) = table["rows"]
    assert len(row["cells"]) == len(table["columnDefinitions"])
    assert row["cells"][:3] == ["proxy", "0/1", "Pending"]
    assert row["object"]["kind"] == "PartialObjectMetadata"
    assert row["object"]["metadata"]["name"] == "proxy"


async def test_a_table_of_gateways_has_the_columns_of_their_definition(api, gateways, put, make) -> None:
    await put(f"{gateways}/gateways", make.gateway())
    table = await api.get(f"{gateways}/gateways/edge", headers={"Accept": TABLE})
    assert [column["name"] for column in table["columnDefinitions"]] == [
        "Name",
        "Class",
        "Address",
        "Programmed",
        "Age",
    ]
    (row,) = table["rows"]
    assert row["cells"][:4] == ["edge", "kgateway", None, "Unknown"]


async def test_metadata_alone_can_be_asked_for(api, core, put, make) -> None:
    made = await put(f"{core}/services", make.service())
    code, one, headers = await api.call("GET", f"{core}/services/shop", headers={"Accept": METADATA})
    assert (code, headers["Content-Type"]) == (200, "application/json")
    assert one == {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": made["metadata"]}
    listed = await api.get(f"{core}/services", headers={"Accept": METADATA_LIST})
    assert (listed["kind"], listed["apiVersion"]) == ("PartialObjectMetadataList", "meta.k8s.io/v1")
    assert listed["items"] == [one]


async def test_a_form_nobody_makes_is_406(api, core) -> None:
    code, body, _ = await api.call("GET", f"{core}/services", headers={"Accept": "application/xml"})
    assert (code, body["kind"], body["reason"]) == (406, "Status", "NotAcceptable")
    assert "application/json" in body["message"]


async def test_a_large_answer_is_compressed_for_who_asks(api, core, put, make) -> None:
    for number in range(3):
        await put(f"{core}/configmaps", make.config_map(f"big{number}", {"text": "x" * 60_000}))
    code, body, headers = await api.call("GET", f"{core}/configmaps", headers={"Accept-Encoding": "gzip"})
    assert (code, headers.get("Content-Encoding")) == (200, "gzip")
    assert {"big0", "big1", "big2"} <= set(names(body))
    _, _, headers = await api.call("GET", f"{core}/configmaps", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in headers
