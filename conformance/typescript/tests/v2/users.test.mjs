// `/api/v2/users`, `/api/v2/user_invitations` and `/api/v2/current_user` by the client.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  TIME_V2,
  UUID,
  configuration,
  email,
  hasFailedWith,
  idsOf,
  makeRole,
  makeServiceAccount,
  makeUser,
  orgId,
  permissionId,
  refused,
  resource,
  send,
  serviceAccounts,
  understood,
  unique,
  uniqueEmail,
  unknownId,
  userId,
  users,
  v2,
} from "../../support.mjs";

const PATH = "/api/v2/users";
const update = (id, attributes, bodyId = id) => ({ userId: id, body: resource("users", attributes, { id: bodyId }) });

test("create", async (t) => {
  const address = uniqueEmail();
  const { id, attributes, relationships } = await makeUser(t, { email: address, name: "Client" });
  assert.match(id, UUID);
  assert.deepEqual([attributes.email, attributes.handle], [address.toLowerCase(), address.toLowerCase()]);
  assert.deepEqual([attributes.name, attributes.title, attributes.status], ["Client", null, "Pending"]);
  assert.deepEqual([attributes.disabled, attributes.serviceAccount, attributes.verified], [false, false, false]);
  assert.deepEqual([relationships.roles.data, relationships.org.data.id], [[], orgId]);
});

test("create with a role, whose permissions come along", async (t) => {
  const permission = await permissionId("api_keys_read");
  const role = await makeRole(t, {}, [permission]);
  const { id, relationships } = await makeUser(t, {}, [role.id]);
  assert.deepEqual(relationships.roles.data.map((one) => one.id), [role.id]);
  const { included } = understood(await users.getUser({ userId: id }));
  assert.ok(included.some((item) => item instanceof v2.Role && item.id === role.id));
  assert.ok(included.some((item) => item instanceof v2.Permission && item.id === permission));
  const { data } = understood(await users.listUserPermissions({ userId: id }));
  assert.ok(data.some((one) => one.attributes.name === "api_keys_read"));
});

test("create with an email taken, also by somebody disabled", async (t) => {
  const { id, attributes } = await makeUser(t);
  const create = () => users.createUser({ body: resource("users", { email: attributes.email.toUpperCase() }) });
  await refused(create(), 409, `User ${attributes.email} already exists`);
  await users.disableUser({ userId: id });
  await refused(create(), 409, `User ${attributes.email} already exists`);
});

test("create with wrong bodies", async () => {
  for (const attributes of [{}, { email: null }, { email: "nobody" }, { email: 7 }]) {
    hasFailedWith(await send("POST", PATH, { body: resource("users", attributes) }), 400);
  }
  hasFailedWith(await send("POST", PATH, { body: resource("roles", { email: "a@example.com" }) }), 400);
});

test("get", async (t) => {
  const created = await makeUser(t);
  const { data } = understood(await users.getUser({ userId: created.id }));
  assert.deepEqual([data.id, data.attributes.email], [created.id, created.attributes.email]);
  const { attributes } = (await send("GET", `${PATH}/${created.id}`)).json.data;
  assert.match(attributes.created_at, TIME_V2);
  assert.match(attributes.modified_at, TIME_V2);
});

for (const id of ["invalidId", unknownId()]) {
  test(`unknown or malformed id ${id}`, async () => {
    await refused(users.getUser({ userId: id }), 404, "user not found");
    await refused(users.listUserPermissions({ userId: id }), 404, "user not found");
    await refused(users.updateUser(update(id, { name: "x" })), 404, `${id} not found`);
    await refused(users.disableUser({ userId: id }), 404, `${id} not found`);
  });
}

test("list", async (t) => {
  const prefix = unique("");
  const { id: b } = await makeUser(t, { name: `${prefix}b` });
  const { id: c } = await makeUser(t, { name: `${prefix}C` });
  const { id: a } = await makeUser(t, { name: `${prefix}a` });
  await users.disableUser({ userId: b });
  const listed = understood(await users.listUsers({ filter: prefix }));
  assert.deepEqual(idsOf(listed), [a, b, c]);
  assert.equal(listed.meta.page.totalFilteredCount, 3);
  assert.deepEqual(idsOf(await users.listUsers({ filter: prefix, pageSize: 2, pageNumber: 1 })), [c]);
  assert.deepEqual(idsOf(await users.listUsers({ filter: prefix, filterStatus: "Disabled" })), [b]);
  assert.deepEqual(idsOf(await users.listUsers({ filter: prefix, filterStatus: "Pending" })), [a, c]);
});

test("update", async (t) => {
  const { id, attributes } = await makeUser(t, { title: "Tester" });
  const { data } = understood(await users.updateUser(update(id, { name: "updated", disabled: true })));
  assert.deepEqual([data.attributes.email, data.attributes.title], [attributes.email, "Tester"]);
  assert.deepEqual([data.attributes.name, data.attributes.disabled, data.attributes.status], ["updated", true, "Disabled"]);
  assert.equal((await users.updateUser(update(id, { disabled: false }))).data.attributes.disabled, false);
});

test("update with another id", async (t) => {
  const { id } = await makeUser(t);
  const wrong = update(id, { name: "x" }, "00000000-mismatch-body-id-ffffffffffff");
  await refused(users.updateUser(wrong), 422, "UUID's in the URL and request body do not match");
});

test("disable, once", async (t) => {
  const { id } = await makeUser(t);
  await users.disableUser({ userId: id });
  assert.equal((await users.getUser({ userId: id })).data.attributes.status, "Disabled");
  await refused(users.disableUser({ userId: id }), 404, `${id} not found`);
});

test("invite", async (t) => {
  const { id } = await makeUser(t);
  const user = { data: { type: "users", id } };
  const body = { data: [{ type: "user_invitations", relationships: { user } }] };
  const [sent] = understood(await users.sendInvitations({ body })).data;
  assert.equal(sent.attributes.inviteType, "basic_invite");
  assert.equal(sent.attributes.expiresAt - sent.attributes.createdAt, 2 * 24 * 60 * 60 * 1000);
  const { data } = understood(await users.getInvitation({ userInvitationUuid: sent.id }));
  assert.deepEqual([data.id, data.attributes.uuid, data.relationships.user.data.id], [sent.id, sent.id, id]);
  await assert.rejects(users.getInvitation({ userInvitationUuid: unknownId() }), { code: 404 });
  await assert.rejects(users.sendInvitations({ body: { data: [] } }), { code: 400 });
});

test("the current user", async (t) => {
  const { data, included } = understood(await users.getCurrentUser());
  assert.deepEqual([data.id, data.attributes.email], [userId, email]);
  for (const kind of [v2.Role, v2.Permission, v2.Organization]) assert.ok(included.some((item) => item instanceof kind));
  const account = await makeServiceAccount(t, { name: "Robot" });
  const body = resource("application_keys", { name: unique() });
  const key = await serviceAccounts.createServiceAccountApplicationKey({ serviceAccountId: account.id, body });
  const robot = new v2.UsersApi(configuration({ applicationKey: key.data.attributes.key }));
  assert.equal((await robot.getCurrentUser()).data.id, account.id);
});
