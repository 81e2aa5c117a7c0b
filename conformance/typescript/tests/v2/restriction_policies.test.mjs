// `/api/v2/restriction_policy` by the client: who may do what with a connection.

import assert from "node:assert/strict";
import { test } from "node:test";
import { cleanUp, configuration, makeRole, orgId, refused, resource, send, understood, unique, userId, v2 } from "../../support.mjs";

const policies = new v2.RestrictionPoliciesApi(configuration());
const [me, everybody] = [`user:${userId}`, `org:${orgId}`];

// The id of a connection that is there for the length of test `t`, as policies name it.
async function makeConnection(t) {
  const integration = { type: "Gitlab", credentials: { type: "GitlabAPIKey", api_token: "glpat-conformance" } };
  const body = resource("action_connection", { name: unique("connection"), integration });
  const made = await send("POST", "/api/v2/actions/connections", { body });
  assert.equal(made.status, 201, made.text);
  cleanUp(t, `/api/v2/actions/connections/${made.json.data.id}`);
  return `connection:${made.json.data.id}`;
}

function policy(id, ...bindings) {
  const given = bindings.map(([relation, ...principals]) => ({ relation, principals }));
  return { resourceId: id, body: resource("restriction_policy", { bindings: given }, { id }) };
}

function told(answer) {
  const { id, type, attributes } = understood(answer).data;
  assert.equal(type, "restriction_policy");
  return [id, attributes.bindings.map(({ relation, principals }) => [relation, ...principals])];
}

test("from set to deleted", async (t) => {
  const id = await makeConnection(t);
  const role = `role:${(await makeRole(t)).id}`;
  assert.deepEqual(told(await policies.getRestrictionPolicy({ resourceId: id })), [id, []]);
  const expected = [id, [["editor", me], ["resolver", role], ["viewer", everybody]]];
  const given = policy(id, ["viewer", everybody], ["resolver", role], ["editor", me]);
  assert.deepEqual(told(await policies.updateRestrictionPolicy(given)), expected);
  assert.deepEqual(told(await policies.getRestrictionPolicy({ resourceId: id })), expected);
  await policies.deleteRestrictionPolicy({ resourceId: id });
  assert.deepEqual(told(await policies.getRestrictionPolicy({ resourceId: id })), [id, []]);
});

test("nobody locks themselves out unasked", async (t) => {
  const id = await makeConnection(t);
  const withoutMe = policy(id, ["editor", `role:${(await makeRole(t)).id}`]);
  const sentence = "This would take away access of your own";
  await refused(policies.updateRestrictionPolicy(withoutMe), 400, sentence);
  await refused(policies.updateRestrictionPolicy({ ...withoutMe, allowSelfLockout: false }), 400, sentence);
  await policies.updateRestrictionPolicy({ ...withoutMe, allowSelfLockout: true });
  await policies.deleteRestrictionPolicy({ resourceId: id });
});

test("what cannot be restricted", async () => {
  const malformed = "Invalid resource: 'malformed' is not in a valid format";
  await refused(policies.getRestrictionPolicy({ resourceId: "malformed" }), 400, malformed);
  const unsupported = "Restriction policies are not supported for the 'dashboard' resource type";
  await refused(policies.deleteRestrictionPolicy({ resourceId: "dashboard:test-delete" }), 400, unsupported);
});
