// `/api/v2/roles` and `/api/v2/permissions` by the client.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  UUID,
  cleanUp,
  hasFailedWith,
  idsOf,
  linked,
  makeRole,
  makeUser,
  permissionId,
  refused,
  resource,
  roles,
  send,
  understood,
  unique,
  unknownId,
  users,
} from "../../support.mjs";

const PATH = "/api/v2/roles";
const UNKNOWN = "00000000-dead-beef-dead-ffffffffffff";
const update = (id, attributes, more = {}) => ({ roleId: id, body: resource("roles", attributes, { id, ...more }) });
// This release of the client does not know it by name.
const withoutDefaults = { additionalProperties: { default_permissions_opt_out: true } };
const pointed = (type, id) => ({ data: { type, id } });
const permissionsOf = (data) => data.relationships.permissions.data.map((one) => one.id).sort();

async function defaults() {
  const { data } = await roles.listPermissions();
  return data.filter(({ attributes }) => attributes.restricted).map((one) => one.id);
}

test("permissions", async () => {
  const { data } = understood(await roles.listPermissions());
  assert.equal(data.length, 345);
  assert.equal((await defaults()).length, 10);
  assert.equal(await permissionId("admin"), "984a2bd4-d3b4-11e8-a1ff-a7f660d43029");
  assert.equal(await permissionId("user_app_keys"), "46a301da-ec5c-11ea-aa9f-73bedeab67ee");
  assert.ok(data.every(({ attributes }) => ["read", "write", "other"].includes(attributes.displayType)));
});

test("create", async (t) => {
  const name = unique("role");
  const created = await makeRole(t, { name });
  assert.match(created.id, UUID);
  assert.deepEqual([created.type, created.attributes.name], ["roles", name]);
  assert.deepEqual(permissionsOf(created), (await defaults()).sort());
});

test("create with permissions, with and without the default ones", async (t) => {
  const permission = await permissionId("api_keys_read");
  assert.deepEqual(permissionsOf(await makeRole(t, {}, [permission])), [...(await defaults()), permission].sort());
  assert.deepEqual(permissionsOf(await makeRole(t, withoutDefaults, [permission])), [permission]);
});

test("create with wrong bodies", async () => {
  for (const attributes of [{}, { name: null }, { name: "  " }]) {
    hasFailedWith(await send("POST", PATH, { body: resource("roles", attributes) }), 400);
  }
  const body = resource("roles", { name: unique("role") }, linked("permissions", "permissions", [unknownId()]));
  await assert.rejects(roles.createRole({ body }), { code: 400 });
});

test("get", async (t) => {
  const created = await makeRole(t);
  const { data } = understood(await roles.getRole({ roleId: created.id }));
  assert.deepEqual([data.id, data.attributes.name, data.attributes.userCount], [created.id, created.attributes.name, 0]);
  for (const id of ["invalidId", unknownId()]) {
    const answer = await send("GET", `${PATH}/${id}`);
    assert.equal(answer.status, 404);
    assert.deepEqual(answer.json, { errors: [{ title: "Generic Error", detail: "could not find the uuid." }] });
  }
});

test("list", async (t) => {
  const prefix = unique("");
  const { id: b } = await makeRole(t, { name: `${prefix}b` });
  const { id: c } = await makeRole(t, { name: `${prefix}C` });
  const { id: a } = await makeRole(t, { name: `${prefix}a` });
  const listed = understood(await roles.listRoles({ filter: prefix }));
  assert.deepEqual(idsOf(listed), [a, b, c]);
  assert.equal(listed.meta.page.totalFilteredCount, 3);
  assert.ok(listed.meta.page.totalCount >= 6);
  assert.deepEqual(idsOf(await roles.listRoles({ filter: prefix, pageSize: 2, pageNumber: 1 })), [c]);
  assert.deepEqual(idsOf(await roles.listRoles({ filter: prefix, sort: "-name" })), [c, b, a]);
});

test("update", async (t) => {
  const created = await makeRole(t, {}, [await permissionId("api_keys_read")]);
  const name = `${created.attributes.name}-updated`;
  const { data } = understood(await roles.updateRole(update(created.id, { name })));
  assert.equal(data.attributes.name, name);
  const permission = await permissionId("api_keys_write");
  await roles.updateRole(update(created.id, { name }, linked("permissions", "permissions", [permission])));
  const found = (await roles.getRole({ roleId: created.id })).data;
  assert.deepEqual(permissionsOf(found), [...(await defaults()), permission].sort());
});

test("update with an unknown permission, another id, or of no role", async (t) => {
  const { id } = await makeRole(t);
  const unknown = linked("permissions", "permissions", ["11111111-dead-beef-dead-ffffffffffff"]);
  await refused(roles.updateRole(update(id, { name: unique("role") }, unknown)), 400, "Invalid input ");
  await refused(
    roles.updateRole({ ...update(UNKNOWN, { name: "x" }), roleId: id }),
    422,
    "The id attribute in the request body does not match the role_id in the URL",
  );
  await refused(roles.updateRole(update(UNKNOWN, { name: "x" })), 404, `${UNKNOWN} not found`);
});

test("delete takes it from its users", async (t) => {
  const { id } = await makeRole(t);
  const user = await makeUser(t, {}, [id]);
  await roles.deleteRole({ roleId: id });
  await assert.rejects(roles.getRole({ roleId: id }), { code: 404 });
  assert.deepEqual((await users.getUser({ userId: user.id })).data.relationships.roles.data, []);
  await refused(roles.deleteRole({ roleId: id }), 404, `${id} not found`);
});

test("clone", async (t) => {
  const permission = await permissionId("api_keys_read");
  const created = await makeRole(t, withoutDefaults, [permission]);
  const clone = (name) => roles.cloneRole({ roleId: created.id, body: resource("roles", { name }) });
  const name = unique("clone");
  const { data } = understood(await clone(name));
  cleanUp(t, `${PATH}/${data.id}`);
  assert.equal(data.attributes.name, name);
  assert.deepEqual(permissionsOf((await roles.getRole({ roleId: data.id })).data), [permission]);
  await refused(clone(created.attributes.name), 409, "A role with the same name already exists");
  await refused(clone("    "), 400, "Role names cannot be only whitespace");
});

test("users of a role", async (t) => {
  const { id: roleId } = await makeRole(t);
  const { id } = await makeUser(t);
  const added = understood(await roles.addUserToRole({ roleId, body: pointed("users", id) }));
  assert.deepEqual([idsOf(added), added.meta.page.totalCount], [[id], 1]);
  assert.ok(added.data[0].relationships.roles.data.some((one) => one.id === roleId));
  const listed = understood(await roles.listRoleUsers({ roleId }));
  assert.deepEqual([idsOf(listed), listed.meta.page.totalCount], [[id], 1]);
  assert.equal((await roles.getRole({ roleId })).data.attributes.userCount, 1);
  const removed = understood(await roles.removeUserFromRole({ roleId, body: pointed("users", id) }));
  assert.deepEqual([idsOf(removed), removed.meta.page.totalCount], [[], 0]);
  await assert.rejects(roles.addUserToRole({ roleId: UNKNOWN, body: pointed("users", id) }), { code: 404 });
  await assert.rejects(roles.addUserToRole({ roleId, body: pointed("users", unknownId()) }), { code: 404 });
});

test("permissions of a role", async (t) => {
  const { id: roleId } = await makeRole(t);
  const admin = await permissionId("admin");
  const body = pointed("permissions", admin);
  const granted = understood(await roles.addPermissionToRole({ roleId, body }));
  assert.ok(idsOf(granted).includes(admin));
  assert.deepEqual(idsOf(understood(await roles.listRolePermissions({ roleId }))).sort(), idsOf(granted).sort());
  const revoked = understood(await roles.removePermissionFromRole({ roleId, body }));
  assert.deepEqual(idsOf(revoked).sort(), (await defaults()).sort());
  await refused(roles.removePermissionFromRole({ roleId: UNKNOWN, body }), 404, `${UNKNOWN} not found`);
  for (const type of ["permissions", "bad_permission_type"]) {
    const wrong = pointed(type, "11111111-dead-beef-dead-ffffffffffff");
    hasFailedWith(await send("DELETE", `${PATH}/${roleId}/permissions`, { body: wrong }), 400);
  }
});
