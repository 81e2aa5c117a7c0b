// `/api/v2/current_user/application_keys` by the client: the caller's own keys, whose secrets show on create, get and
// patch.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  APPLICATION_KEY_SECRET,
  TIME_V2,
  UUID,
  hasFailedWith,
  keys,
  keysOf,
  makeApplicationKey,
  refused,
  send,
  understood,
  unique,
  unknownId,
  userId,
  v2,
} from "../../../support.mjs";

const PATH = "/api/v2/current_user/application_keys";
const NOT_FOUND = "Application key not found";
const patch = (id, attributes) => ({ appKeyId: id, body: { data: { type: "application_keys", id, attributes } } });

test("create", async (t) => {
  const name = unique();
  const { id, type, attributes, relationships } = await makeApplicationKey(t, { name });
  assert.match(id, UUID);
  assert.match(attributes.key, APPLICATION_KEY_SECRET);
  assert.deepEqual([type, attributes.name, attributes.last4], ["application_keys", name, attributes.key.slice(-4)]);
  assert.equal(attributes.scopes, null);
  assert.equal(relationships.ownedBy.data.id, userId);
});

test("create with scopes in order, and with none", async (t) => {
  const scopes = ["dashboards_write", "monitors_read", "dashboards_read"];
  const { id, attributes } = await makeApplicationKey(t, { scopes });
  assert.deepEqual(attributes.scopes, scopes);
  assert.deepEqual((await keys.getCurrentUserApplicationKey({ appKeyId: id })).data.attributes.scopes, scopes);
  for (const none of [null, []]) {
    assert.equal((await makeApplicationKey(t, { scopes: none })).attributes.scopes, null);
  }
});

test("create with unknown scopes", async () => {
  for (const scope of ["no_such_scope", unknownId()]) {
    const body = { data: { type: "application_keys", attributes: { name: unique(), scopes: [scope] } } };
    await assert.rejects(keys.createCurrentUserApplicationKey({ body }), (error) => {
      assert.equal(error.code, 400);
      assert.match(error.body.errors[0], /Invalid scopes/);
      return true;
    });
  }
});

test("create with wrong bodies", async () => {
  const create = (attributes) => send("POST", PATH, { body: { data: { type: "application_keys", attributes } } });
  hasFailedWith(await create({}), 400, "'name' is a required property");
  hasFailedWith(await create({ name: null }), 400, "None is not of type 'string'");
  hasFailedWith(
    await create({ name: "x", owner: "me" }),
    400,
    "Additional properties are not allowed ('owner' was unexpected)",
  );
  hasFailedWith(await create({ name: " " }), 400);
});

test("get brings the secret, the owner and their roles", async (t) => {
  const created = await makeApplicationKey(t);
  const { data, included } = understood(await keys.getCurrentUserApplicationKey({ appKeyId: created.id }));
  assert.equal(data.attributes.key, created.attributes.key);
  assert.equal(data.attributes.lastUsedAt, null);
  const [user, ...roles] = included;
  assert.ok(user instanceof v2.User);
  assert.equal(user.id, userId);
  assert.ok(roles.length > 0 && roles.every((role) => role instanceof v2.Role));
  const { attributes } = (await send("GET", `${PATH}/${created.id}`)).json.data;
  assert.match(attributes.created_at, TIME_V2);
});

test("patch keeps the secret", async (t) => {
  const created = await makeApplicationKey(t, { scopes: ["user_app_keys"] });
  const name = unique("renamed");
  const { attributes } = understood(await keys.updateCurrentUserApplicationKey(patch(created.id, { name }))).data;
  assert.deepEqual([attributes.name, attributes.key], [name, created.attributes.key]);
  assert.deepEqual(attributes.scopes, ["user_app_keys"]);
  await keysOf({ applicationKey: attributes.key }).listCurrentUserApplicationKeys({ filter: name });
});

test("patch takes scopes away", async (t) => {
  const { id } = await makeApplicationKey(t, { scopes: ["dashboards_read"] });
  const { attributes } = (await keys.updateCurrentUserApplicationKey(patch(id, { scopes: [] }))).data;
  assert.equal(attributes.scopes, null);
});

test("patch with another id", async (t) => {
  const { id } = await makeApplicationKey(t);
  const wrong = { ...patch(unknownId(), { name: "x" }), appKeyId: id };
  await assert.rejects(keys.updateCurrentUserApplicationKey(wrong), { code: 400 });
});

test("delete is the end", async (t) => {
  const { id, attributes } = await makeApplicationKey(t);
  await keys.deleteCurrentUserApplicationKey({ appKeyId: id });
  await refused(keys.getCurrentUserApplicationKey({ appKeyId: id }), 404, NOT_FOUND);
  await refused(keys.getApplicationKey({ appKeyId: id }), 404, NOT_FOUND);
  await refused(keys.deleteCurrentUserApplicationKey({ appKeyId: id }), 404, NOT_FOUND);
  assert.deepEqual((await keys.listCurrentUserApplicationKeys({ filter: attributes.name })).data, []);
});

for (const id of ["invalidId", unknownId()]) {
  test(`unknown or malformed id ${id}`, async () => {
    await refused(keys.getCurrentUserApplicationKey({ appKeyId: id }), 404, NOT_FOUND);
    await refused(keys.updateCurrentUserApplicationKey(patch(id, { name: "x" })), 404, NOT_FOUND);
    await refused(keys.deleteCurrentUserApplicationKey({ appKeyId: id }), 404, NOT_FOUND);
  });
}
