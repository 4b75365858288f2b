"""Kubeconfig files as kubectl reads them, and the identities in them."""

from __future__ import annotations

import base64
import os

import pytest
import yaml

from gwtui.adapters.kubernetes.kubeconfig import Impersonation, load_kubeconfig
from gwtui.errors import UsageError


def config(path, *, current=None, contexts=("one",), server="https://127.0.0.1:6443", user=None, **cluster):
    document = {
        "contexts": [
            {"name": name, "context": {"cluster": "c", "user": "u", "namespace": "shop"}} for name in contexts
        ],
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": user or {"token": "t"}}],
    }
    if current is not None:
        document["current-context"] = current
    path.write_text(yaml.safe_dump(document))
    return path


def refused(path, context=None):
    with pytest.raises(UsageError) as caught:
        load_kubeconfig(path).select(context)
    assert "\n" not in caught.value.line()
    return caught.value


def test_the_first_file_wins_and_missing_files_are_skipped(tmp_path):
    first = config(tmp_path / "a", current="two", contexts=("one", "two"), server="https://a")
    second = config(tmp_path / "b", current="three", contexts=("two", "three"), server="https://b")
    loaded = load_kubeconfig(
        environ={"KUBECONFIG": os.pathsep.join([str(tmp_path / "missing"), str(first), "", str(second)])}
    )
    assert loaded.current_context == "two"
    assert sorted(loaded.contexts) == ["one", "three", "two"]
    assert loaded.select().server == "https://a"
    assert loaded.select("three").namespace == "shop"


def test_a_first_file_without_current_context_leaves_it_to_the_next(tmp_path):
    first = config(tmp_path / "a", contexts=("one",))
    second = config(tmp_path / "b", current="two", contexts=("two",))
    assert load_kubeconfig(environ={"KUBECONFIG": f"{first}{os.pathsep}{second}"}).current_context == "two"


def test_no_file_is_a_usage_error_that_says_where_it_looked(tmp_path):
    with pytest.raises(UsageError, match="missing") as caught:
        load_kubeconfig(tmp_path / "missing")
    assert "--kubeconfig" in caught.value.hint


def test_an_unknown_context_lists_the_known_ones(tmp_path):
    error = refused(config(tmp_path / "a", current="one", contexts=("one", "two")), "three")
    assert "'three'" in error.message
    assert error.hint == "contexts: one, two"


def test_no_current_context_asks_to_choose(tmp_path):
    assert "one, two" in refused(config(tmp_path / "a", current="", contexts=("one", "two"))).hint


def test_a_missing_user_entry_is_named(tmp_path):
    path = config(tmp_path / "a", current="one")
    document = yaml.safe_load(path.read_text())
    document["users"] = []
    path.write_text(yaml.safe_dump(document))
    assert "user 'u'" in refused(path).message


@pytest.mark.parametrize("text", ["a: [", "- just\n- a list", "contexts: 5\n", "contexts: [{context: {}}]", "\x00"])
def test_rubbish_is_a_usage_error(tmp_path, text):
    path = tmp_path / "a"
    path.write_text(text)
    assert refused(path).hint


def test_socks_proxies_are_refused_and_not_taken_for_http(tmp_path):
    error = refused(config(tmp_path / "a", current="one", **{"proxy-url": "socks5://127.0.0.1:1080"}))
    assert "socks5" in error.message


def test_a_server_without_scheme_is_refused(tmp_path):
    assert "10.0.0.1:6443" in refused(config(tmp_path / "a", current="one", server="10.0.0.1:6443")).message


def test_authorities_come_inline_or_from_a_file_beside_the_kubeconfig(tmp_path):
    (tmp_path / "ca.crt").write_text("PEM")
    inline = {"certificate-authority-data": base64.b64encode(b"INLINE").decode()}
    assert load_kubeconfig(config(tmp_path / "a", current="one", **inline)).select().ca_pem == "INLINE"
    beside = {"certificate-authority": "ca.crt"}
    assert load_kubeconfig(config(tmp_path / "b", current="one", **beside)).select().ca_pem == "PEM"
    absent = {"certificate-authority": "nowhere.crt"}
    assert "certificate-authority" in refused(config(tmp_path / "c", current="one", **absent)).message


def test_impersonation_of_the_user_entry_is_kept_and_the_command_line_replaces_it(tmp_path):
    user = {"as": "jane", "as-uid": "7", "as-groups": ["ops", "dev"], "as-user-extra": {"scope": ["a", "b"]}}
    access = load_kubeconfig(config(tmp_path / "a", current="one", user=user)).select()
    assert access.impersonation == Impersonation(
        user="jane", uid="7", groups=("ops", "dev"), extra={"scope": ("a", "b")}
    )
    assert access.acting_as("", ()) is access
    assert access.acting_as("joe", ("x",)).impersonation == Impersonation(user="joe", groups=("x",))
    with pytest.raises(UsageError, match="--as-group"):
        access.acting_as("", ("x",))


def test_groups_without_a_user_are_refused_rather_than_run_as_the_real_user(tmp_path):
    assert "as-groups" in refused(config(tmp_path / "a", current="one", user={"as-groups": ["ops"]})).message


def test_secrets_are_not_in_the_representation(tmp_path):
    access = load_kubeconfig(config(tmp_path / "a", current="one", user={"token": "hunter2"})).select()
    assert "hunter2" not in repr(access)
