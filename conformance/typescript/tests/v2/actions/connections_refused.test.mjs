// `/api/v2/actions/connections`: what is refused, in the recorded words, and who may not.

import { test } from "node:test";
import {
  PATH,
  changes,
  connections,
  connectionsOf,
  exampleOf,
  makeConnection,
  newConnection,
  recorded,
  refused,
} from "../../../connections.mjs";
import { cleanUp, keys, makeApplicationKey, resource, understood, unique, unknownId } from "../../../support.mjs";

const aws = exampleOf("AWSAssumeRole").create;
const gitlab = exampleOf("GitlabAPIKey").create;
const badAccount = { ...aws, credentials: { ...aws.credentials, account_id: "1" } };

test("an account id that is none", async (t) => {
  const create = connections.createActionConnection({ body: newConnection(badAccount) });
  await refused(create, 400, recorded("create-a-new-action-connection-returns-bad-request"));
  const { id } = await makeConnection(t, aws);
  for (const connectionId of [id, unknownId()]) {
    const update = connections.updateActionConnection({ connectionId, body: changes({ integration: badAccount }) });
    await refused(update, 400, recorded("update-an-existing-action-connection-returns-bad-request"));
  }
});

test("ids that are none, or that nothing has", async () => {
  const body = changes({ integration: aws });
  for (const [call, name] of [
    [(connectionId) => connections.getActionConnection({ connectionId }), "get-an-existing-action-connection-returns-not-found"],
    [
      (connectionId) => connections.updateActionConnection({ connectionId, body }),
      "update-an-existing-action-connection-returns-not-found",
    ],
    [
      (connectionId) => connections.deleteActionConnection({ connectionId }),
      "delete-an-existing-action-connection-returns-successfully-deleted-action-connection",
    ],
  ]) {
    await refused(call(unknownId()), 404, recorded(name));
    await refused(call("invalidId"), 400, "error connectionId not a valid UUID");
  }
});

// One of each operation, on connections made for them.
async function calls(t, api) {
  const [{ id: first }, { id: last }] = [await makeConnection(t, gitlab), await makeConnection(t, gitlab)];
  return [
    ["read", () => api.getActionConnection({ connectionId: first })],
    [
      "write",
      async () => {
        const { data } = await api.createActionConnection({ body: newConnection(gitlab) });
        cleanUp(t, `${PATH}/${data.id}`);
      },
    ],
    ["write", () => api.updateActionConnection({ connectionId: first, body: changes({ name: "Renamed" }) })],
    ["write", () => api.deleteActionConnection({ connectionId: last })],
  ];
}

test("a key must be registered", async (t) => {
  const key = await makeApplicationKey(t);
  const operations = await calls(t, connectionsOf({ applicationKey: key.attributes.key }));
  for (const [, call] of operations) await refused(call(), 403, /not registered/);
  understood(await connections.registerAppKey({ appKeyId: key.id }));
  cleanUp(t, `/api/v2/actions/app_key_registrations/${key.id}`);
  for (const [, call] of operations) await call();
});

test("a token must name the scope", async (t) => {
  for (const scope of ["connections_read", "connections_write", "connection_write", "dashboards_read"]) {
    const expiresAt = new Date(Date.now() + 30 * 24 * 60 * 60 * 1000);
    const body = resource("personal_access_tokens", { name: unique("token"), scopes: [scope], expiresAt });
    const { data } = understood(await keys.createPersonalAccessToken({ body }));
    cleanUp(t, `/api/v2/personal_access_tokens/${data.id}`);
    for (const [right, call] of await calls(t, connectionsOf({ token: data.attributes.key }))) {
      if (scope.startsWith("connection") && scope.endsWith(right)) await call();
      else await refused(call(), 403, "Failed permission authorization checks");
    }
  }
});
