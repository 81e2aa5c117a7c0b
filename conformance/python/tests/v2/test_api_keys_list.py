"""`GET /api/v2/api_keys`: what an item shows, and paging, sorting, filtering and including, good and bad."""

import pytest
from datadog_api_client.v2.model.api_key_update_attributes import APIKeyUpdateAttributes
from datadog_api_client.v2.model.api_key_update_data import APIKeyUpdateData
from datadog_api_client.v2.model.api_key_update_request import APIKeyUpdateRequest
from datadog_api_client.v2.model.api_keys_sort import APIKeysSort
from datadog_api_client.v2.model.api_keys_type import APIKeysType
from datadog_api_client.v2.model.user import User

from support import EMAIL, ORG_ID, THE_USER, USER_ID, follow, send, understood, unique

PATH = "/api/v2/api_keys"


@pytest.fixture
def three(make_api_key, keys):
    """The part that three names share, and the three keys, oldest first; the oldest was changed last."""
    prefix = unique("")
    made = [make_api_key(prefix + suffix) for suffix in ["b", "C", "a"]]
    data = APIKeyUpdateData(
        attributes=APIKeyUpdateAttributes(name=prefix + "bb"), id=made[0].id, type=APIKeysType.API_KEYS
    )
    keys.update_api_key(made[0].id, APIKeyUpdateRequest(data=data))
    return prefix, [keys.get_api_key(key.id).data for key in made]


def ids(listed):
    return [key.id for key in listed.data]


def test_items_on_the_wire(make_api_key):
    created = make_api_key()
    answer = send("GET", PATH, query={"filter": created.attributes.name})
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert set(answer.json) == {"data", "meta"}
    assert answer.json["meta"] == {"page": {"total_filtered_count": 1}, "max_allowed": 200}
    (item,) = answer.data
    alone = send("GET", f"{PATH}/{created.id}").data
    del alone["attributes"]["key"]
    assert item == alone
    assert follow(item, "created_by", "modified_by", "leak_information") == {
        "created_by": THE_USER,
        "modified_by": THE_USER,
        "leak_information": None,
    }


def test_by_the_client(keys, three):
    prefix, made = three
    listed = understood(keys.list_api_keys(filter=prefix))
    assert sorted(ids(listed)) == sorted(key.id for key in made)
    assert listed.meta.max_allowed == 200
    assert listed.meta.page.total_filtered_count == 3
    assert all("key" not in key.attributes for key in listed.data)


class TestPaging:
    def test_pages(self, keys, three):
        prefix, _ = three
        whole = ids(keys.list_api_keys(filter=prefix))
        pages = [keys.list_api_keys(filter=prefix, page_size=2, page_number=number) for number in range(3)]
        assert [ids(page) for page in pages] == [whole[:2], whole[2:], []]
        assert [page.meta.page.total_filtered_count for page in pages] == [3, 3, 3]

    def test_a_hundred_by_default_and_at_most(self, keys, make_api_key):
        prefix = unique("")
        for number in range(101):
            make_api_key(f"{prefix}{number}")
        assert len(keys.list_api_keys(filter=prefix).data) == 100
        assert len(keys.list_api_keys(filter=prefix, page_size=100).data) == 100
        last = keys.list_api_keys(filter=prefix, page_size=100, page_number=1)
        assert (len(last.data), last.meta.page.total_filtered_count) == (1, 101)

    @pytest.mark.parametrize(
        "query",
        [
            {"page[size]": 101},
            {"page[size]": -1},
            {"page[size]": "many"},
            {"page[number]": -1},
            {"page[number]": "first"},
            {"page[number]": 1.5},
        ],
    )
    def test_bad_page(self, query):
        send("GET", PATH, query=query).has_failed_with(400)


class TestSort:
    @pytest.mark.parametrize("attribute", ["created_at", "last4", "modified_at", "name"])
    def test_each_key_both_ways(self, keys, three, attribute):
        prefix, made = three
        up = keys.list_api_keys(filter=prefix, sort=APIKeysSort(attribute))
        down = keys.list_api_keys(filter=prefix, sort=APIKeysSort(f"-{attribute}"))
        values = [key.attributes[attribute] for key in up.data]
        assert sorted(ids(up)) == sorted(key.id for key in made)
        assert values == sorted(values, key=str.casefold)
        assert [key.attributes[attribute] for key in down.data] == values[::-1]

    def test_created_and_modified_differ(self, keys, three):
        prefix, (first, second, third) = three
        assert ids(keys.list_api_keys(filter=prefix, sort=APIKeysSort.CREATED_AT_ASCENDING)) == [
            first.id,
            second.id,
            third.id,
        ]
        assert ids(keys.list_api_keys(filter=prefix, sort=APIKeysSort.MODIFIED_AT_ASCENDING)) == [
            second.id,
            third.id,
            first.id,
        ]

    def test_names_by_default_without_case_and_punctuation(self, keys, make_api_key):
        prefix = unique("")
        in_order = ["[A] 1", "a2", "_B", "c-c", "cc", "D"]
        for suffix in reversed(in_order):
            make_api_key(prefix + suffix)
        listed = keys.list_api_keys(filter=prefix).data
        assert [key.attributes.name for key in listed] == [prefix + suffix for suffix in in_order]

    @pytest.mark.parametrize("sort", ["nonsense", "-", "--name", "key", "name,created_at"])
    def test_bad_sort(self, sort):
        send("GET", PATH, query={"sort": sort}).has_failed_with(400)


class TestFilter:
    def test_part_of_a_name(self, keys, make_api_key):
        name = unique("service")
        short, long = make_api_key(name), make_api_key(name + " two")
        assert ids(keys.list_api_keys(filter=name)) == [short.id, long.id]
        assert ids(keys.list_api_keys(filter=name[5:])) == [short.id, long.id]
        assert ids(keys.list_api_keys(filter=name + " t")) == [long.id]
        assert ids(keys.list_api_keys(filter=name.upper())) == [short.id, long.id]

    def test_nothing_found(self, keys):
        listed = understood(keys.list_api_keys(filter=unique()))
        assert (listed.data, listed.meta.page.total_filtered_count) == ([], 0)

    def test_wildcards_are_letters(self, keys, make_api_key):
        name = unique("")
        plain, odd = make_api_key(name + "axb"), make_api_key(name + "a%b_c")
        assert ids(keys.list_api_keys(filter=name + "a%b")) == [odd.id]
        assert ids(keys.list_api_keys(filter=name + "a_b")) == []
        assert ids(keys.list_api_keys(filter=name + "a")) == [odd.id, plain.id]

    @pytest.mark.parametrize(
        ("which", "attribute", "order"),
        [("created_at", "created_at", [0, 1, 2]), ("modified_at", "modified_at", [1, 2, 0])],
    )
    def test_dates_include_both_ends(self, keys, three, which, attribute, order):
        prefix, made = three
        keys_in_order = [made[index] for index in order]
        middle = keys_in_order[1].attributes[attribute].isoformat(timespec="microseconds")
        start, end = {f"filter_{which}_start": middle}, {f"filter_{which}_end": middle}

        def found(**filters):
            return {key.id for key in keys.list_api_keys(filter=prefix, **filters).data}

        assert found(**start) == {key.id for key in keys_in_order[1:]}
        assert found(**end) == {key.id for key in keys_in_order[:2]}
        assert found(**start, **end) == {keys_in_order[1].id}

    def test_dates_in_other_zones(self, keys, three):
        prefix, made = three
        assert (
            len(keys.list_api_keys(filter=prefix, filter_created_at_start="2020-01-01T00:00:00Z").data) == 3
        )
        assert (
            len(keys.list_api_keys(filter=prefix, filter_created_at_end="2020-01-01T02:00:00+02:00").data)
            == 0
        )

    @pytest.mark.parametrize("name", ["created_at", "modified_at"])
    @pytest.mark.parametrize("end", ["start", "end"])
    def test_bad_date(self, name, end):
        send("GET", PATH, query={f"filter[{name}][{end}]": "yesterday"}).has_failed_with(400)

    def test_remote_config(self, keys, make_api_key):
        prefix = unique("")
        off, on = make_api_key(prefix + "a", remote_config_read_enabled=False), make_api_key(prefix + "b")
        for is_enabled, key in [(False, off), (True, on)]:
            listed = keys.list_api_keys(filter=prefix, filter_remote_config_read_enabled=is_enabled)
            assert ids(listed) == [key.id]

    def test_category(self, keys, three):
        prefix, _ = three
        assert len(keys.list_api_keys(filter=prefix, filter_category="default").data) == 3
        assert keys.list_api_keys(filter=prefix, filter_category="another").data == []


class TestInclude:
    @pytest.mark.parametrize("include", ["created_by", "modified_by", "created_by,modified_by"])
    def test_each_user_once(self, keys, three, include):
        prefix, _ = three
        (user,) = understood(keys.list_api_keys(filter=prefix, include=include)).included
        assert isinstance(user.get_oneof_instance(), User)
        assert (user.id, user.attributes.email, user.attributes.handle) == (USER_ID, EMAIL, EMAIL)
        (user,) = send("GET", PATH, query={"filter": prefix, "include": include}).json["included"]
        assert user["relationships"] == {"org": {"data": {"type": "orgs", "id": ORG_ID}}}

    @pytest.mark.parametrize("include", ["owned_by", "everything", "created_by,nonsense"])
    def test_bad_include(self, include):
        send("GET", PATH, query={"include": include}).has_failed_with(400)
