"""The lists of application keys, of the org and of the current user: items, pages, order, filters, users."""

import pytest
from datadog_api_client.v2.model.application_keys_sort import ApplicationKeysSort
from datadog_api_client.v2.model.user import User

from support import EMAIL, ORG_ID, THE_USER, USER_ID, follow, send, understood, unique

ORG = "/api/v2/application_keys"
OWN = "/api/v2/current_user/application_keys"

pytestmark = pytest.mark.parametrize("path", [ORG, OWN], ids=["org", "current_user"])


@pytest.fixture
def list_keys(keys, path):
    """The client's operation for the list at `path`."""
    return keys.list_application_keys if path == ORG else keys.list_current_user_application_keys


@pytest.fixture
def three(make_application_key):
    """The part that three names share, and the three keys, oldest first."""
    prefix = unique("")
    return prefix, [make_application_key(prefix + suffix) for suffix in ["b", "C", "a"]]


def ids(listed):
    return [key.id for key in listed.data]


def test_items_on_the_wire(path, make_application_key):
    created = make_application_key(scopes=["monitors_read", "dashboards_read"])
    answer = send("GET", path, query={"filter": created.attributes.name})
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert set(answer.json) == {"data", "meta"}
    assert answer.json["meta"] == {"page": {"total_filtered_count": 1}, "max_allowed_per_user": 1000}
    (item,) = answer.data
    alone = send("GET", f"{ORG}/{created.id}").data
    if path == ORG:
        assert follow(item, "owned_by", "leak_information") == {
            "owned_by": THE_USER,
            "leak_information": None,
        }
    else:
        del alone["relationships"]["owned_by"]
    assert item == alone
    assert set(item["attributes"]) == {"name", "created_at", "last4", "scopes", "last_used_at"}


def test_by_the_client(list_keys, three):
    prefix, made = three
    listed = understood(list_keys(filter=prefix))
    assert ids(listed) == [made[2].id, made[0].id, made[1].id]
    assert listed.meta.max_allowed_per_user == 1000
    assert listed.meta.page.total_filtered_count == 3
    for key in listed.data:
        assert (key.attributes.scopes, key.attributes.last_used_at) == (None, None)
        assert "key" not in key.attributes


class TestPaging:
    def test_pages(self, list_keys, three):
        prefix, _ = three
        whole = ids(list_keys(filter=prefix))
        pages = [list_keys(filter=prefix, page_size=2, page_number=number) for number in range(3)]
        assert [ids(page) for page in pages] == [whole[:2], whole[2:], []]
        assert [page.meta.page.total_filtered_count for page in pages] == [3, 3, 3]

    def test_a_hundred_by_default_and_at_most(self, list_keys, make_application_key):
        prefix = unique("")
        for number in range(101):
            make_application_key(f"{prefix}{number}")
        assert len(list_keys(filter=prefix).data) == 100
        last = list_keys(filter=prefix, page_size=100, page_number=1)
        assert (len(last.data), last.meta.page.total_filtered_count) == (1, 101)

    @pytest.mark.parametrize(
        "query",
        [
            {"page[size]": 101},
            {"page[size]": -1},
            {"page[size]": "many"},
            {"page[number]": -1},
            {"page[number]": "first"},
        ],
    )
    def test_bad_page(self, path, query):
        send("GET", path, query=query).has_failed_with(400)


class TestSort:
    @pytest.mark.parametrize("attribute", ["created_at", "last4", "name"])
    def test_each_key_both_ways(self, list_keys, three, attribute):
        prefix, made = three
        up = list_keys(filter=prefix, sort=ApplicationKeysSort(attribute))
        down = list_keys(filter=prefix, sort=ApplicationKeysSort(f"-{attribute}"))
        values = [key.attributes[attribute] for key in up.data]
        assert sorted(ids(up)) == sorted(key.id for key in made)
        # Whether the case of a secret's last four counts is not known.
        assert values in (sorted(values), sorted(values, key=str.casefold))
        assert [key.attributes[attribute] for key in down.data] == values[::-1]

    def test_oldest_first(self, list_keys, three):
        prefix, made = three
        listed = list_keys(filter=prefix, sort=ApplicationKeysSort.CREATED_AT_ASCENDING)
        assert ids(listed) == [key.id for key in made]

    def test_names_by_default_without_case_and_punctuation(self, list_keys, make_application_key):
        prefix = unique("")
        in_order = ["[A] 1", "a2", "_B", "c-c", "cc", "D"]
        for suffix in reversed(in_order):
            make_application_key(prefix + suffix)
        assert [key.attributes.name for key in list_keys(filter=prefix).data] == [
            prefix + name for name in in_order
        ]

    @pytest.mark.parametrize("sort", ["nonsense", "--name", "modified_at", "key"])
    def test_bad_sort(self, path, sort):
        send("GET", path, query={"sort": sort}).has_failed_with(400)


class TestFilter:
    def test_part_of_a_name(self, list_keys, make_application_key):
        name = unique("service")
        short, long = make_application_key(name), make_application_key(name + " two")
        assert ids(list_keys(filter=name)) == [short.id, long.id]
        assert ids(list_keys(filter=name[5:])) == [short.id, long.id]
        assert ids(list_keys(filter=name + " t")) == [long.id]

    def test_nothing_found(self, list_keys):
        listed = understood(list_keys(filter=unique()))
        assert (listed.data, listed.meta.page.total_filtered_count) == ([], 0)

    def test_dates_include_both_ends(self, list_keys, three):
        prefix, made = three
        middle = made[1].attributes.created_at.isoformat(timespec="microseconds")

        def found(**filters):
            return {key.id for key in list_keys(filter=prefix, **filters).data}

        assert found(filter_created_at_start=middle) == {key.id for key in made[1:]}
        assert found(filter_created_at_end=middle) == {key.id for key in made[:2]}
        assert found(filter_created_at_start=middle, filter_created_at_end=middle) == {made[1].id}

    @pytest.mark.parametrize("end", ["start", "end"])
    def test_bad_date(self, path, end):
        send("GET", path, query={f"filter[created_at][{end}]": "yesterday"}).has_failed_with(400)


class TestInclude:
    def test_owner_once(self, path, list_keys, three):
        prefix, _ = three
        (user,) = understood(list_keys(filter=prefix, include="owned_by")).included
        assert isinstance(user.get_oneof_instance(), User)
        assert (user.id, user.attributes.email) == (USER_ID, EMAIL)
        (user,) = send("GET", path, query={"filter": prefix, "include": "owned_by"}).json["included"]
        if path == ORG:
            assert user["relationships"] == {"org": {"data": {"type": "orgs", "id": ORG_ID}}}

    @pytest.mark.parametrize("include", ["created_by", "everything", "owned_by,nonsense"])
    def test_bad_include(self, path, include):
        send("GET", path, query={"include": include}).has_failed_with(400)
