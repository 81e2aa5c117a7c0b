// `/api/v2/actions/connections`: one of each credential type, and how they change.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  EXAMPLES,
  PATH,
  changes,
  connections,
  emptied,
  exampleOf,
  makeConnection,
  read,
  refused,
  shown,
  update,
  updated,
} from "../../../connections.mjs";
import { UUID, send } from "../../../support.mjs";

test("there is an example of every type", () => {
  assert.equal(EXAMPLES.length, 25);
  assert.equal(new Set(EXAMPLES.map(({ credentials }) => credentials)).size, 25);
});

for (const { credentials, ...example } of EXAMPLES) {
  test(`${credentials} from its creation to its end`, async (t) => {
    const [first, second] = [emptied(example.create), emptied(updated(example.create, example.update))];
    const made = await makeConnection(t, example.create, { tags: ["env:test"] });
    assert.match(made.id, UUID);
    assert.equal(made.type, "action_connection");
    assert.deepEqual([shown(made), made.attributes.tags], [first, ["env:test"]]);
    assert.deepEqual(shown(await read(made.id)), first);

    const renamed = await update(made.id, { name: "Renamed" });
    assert.deepEqual([renamed.attributes.name, shown(renamed)], ["Renamed", first]);
    const tags = ["env:prod", "team:a"];
    assert.deepEqual(shown(await update(made.id, { integration: example.update, tags })), second);
    const again = await read(made.id);
    assert.deepEqual([shown(again), again.attributes.tags, again.attributes.name], [second, tags, "Renamed"]);
    const wire = await send("GET", `${PATH}/${made.id}`);
    assert.deepEqual([wire.status, wire.contentType], [200, "application/vnd.api+json"]);

    const { id: connectionId } = made;
    await connections.deleteActionConnection({ connectionId });
    await assert.rejects(connections.getActionConnection({ connectionId }), { code: 404 });
  });
}

test("lists of an HTTP connection merge by name", async (t) => {
  const { create } = exampleOf("HTTPTokenAuth");
  const { id } = await makeConnection(t, create);
  const change = {
    type: "HTTP",
    credentials: {
      type: "HTTPTokenAuth",
      tokens: [
        { name: "token2", type: "SECRET", value: "", deleted: true },
        { name: "token3", type: "SECRET", value: "canary-third" },
      ],
      headers: [{ name: "header-name", value: "{{ token3 }}" }, { name: "X-New", value: "new" }],
      url_parameters: [{ name: "urlParamName", deleted: true }, { name: "page", value: "1" }],
      body: { content: "plain", content_type: "text/plain" },
    },
  };
  await update(id, { integration: change });
  assert.deepEqual(shown(await read(id)), emptied(updated(create, change)));
});

test("an external id stays until a new one is asked for", async (t) => {
  const example = exampleOf("AWSAssumeRole");
  const idsOf = ({ attributes }) => [attributes.integration.credentials.externalId, attributes.integration.credentials.principalId];
  const made = await makeConnection(t, example.create);
  const [externalId, principalId] = idsOf(made);
  assert.match(externalId, /^[0-9a-f]{32}$/);
  assert.match(principalId, /^\d{12}$/);
  assert.deepEqual(idsOf(await update(made.id, { integration: example.update })), [externalId, principalId]);
  const credentials = { ...example.update.credentials, generate_new_external_id: true };
  const changed = await update(made.id, { integration: { ...example.update, credentials } });
  assert.notEqual(idsOf(changed)[0], externalId);
  assert.deepEqual(idsOf(await read(made.id)), idsOf(changed));
});

for (const [credentials, member, missing] of [
  ["HTTPTokenAuth", "base_url", /credentials\/tokens must bring token1 anew.*credentials\/tokens must bring token2 anew/s],
  ["DatadogAPIKey", "datacenter", /credentials\/api_key .*credentials\/app_key /s],
  ["FreshserviceAPIKey", "domain", /credentials\/api_key /],
  ["OktaAPIToken", "domain", /credentials\/api_token /],
  ["ServiceNowBasicAuth", "instance", /credentials\/password /],
]) {
  test(`secrets of ${credentials} are not aimed elsewhere by who does not have them`, async (t) => {
    const example = exampleOf(credentials);
    const { id: connectionId } = await makeConnection(t, example.create);
    const integration = { type: example.create.type, credentials: { type: credentials } };
    const place = member === "base_url" ? integration : integration.credentials;
    place[member] = (member === "base_url" ? example.update : example.update.credentials)[member];
    await refused(connections.updateActionConnection({ connectionId, body: changes({ integration }) }), 400, missing);
    assert.deepEqual(shown(await read(connectionId)), emptied(example.create));
  });
}
