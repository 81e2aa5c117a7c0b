// Connections for tests: the examples that every client's suite shares, and what answers show of them.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { cleanUp, configuration, understood, unique, v2 } from "./support.mjs";

const beside = (path) => JSON.parse(readFileSync(new URL(`../${path}`, import.meta.url)));

export const PATH = "/api/v2/actions/connections";
export const EXAMPLES = beside("connections.json");
export const exampleOf = (credentials) => EXAMPLES.find((example) => example.credentials === credentials);

// Every secret of the examples begins so, and so does every other that tests of connections give away.
const CANARY = "canary-";
for (const { create, update, secrets } of EXAMPLES) {
  const at = (value, pointer) => pointer.split("/").slice(1).reduce((inner, step) => inner[step], value);
  for (const pointer of secrets) for (const form of [create, update]) assert.ok(at(form, pointer).startsWith(CANARY));
}

// The detail of the error that ends a recorded scenario of connections.
export const recorded = (name) =>
  beside(`recorded/v2-action_connection-${name}-response.json`).exchanges.at(-1).response.body.errors[0].detail;

// What answers show of an `integration` value: its secrets are there, but empty.
export function emptied(value) {
  if (Array.isArray(value)) return value.map(emptied);
  if (typeof value === "object") return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, emptied(item)]));
  return typeof value === "string" && value.startsWith(CANARY) ? "" : value;
}

// An `integration` value after a change: what the change does not name stays, and lists merge by name.
export function updated(before, change) {
  const after = structuredClone(before);
  for (const [name, value] of Object.entries(change)) {
    if (name === "credentials") after[name] = updated(before[name], value);
    else if (Array.isArray(value)) after[name] = merged(before[name] ?? [], value);
    else after[name] = value;
  }
  return after;
}

function merged(before, change) {
  const items = new Map(before.map((item) => [item.name, item]));
  for (const item of change) {
    if (item.deleted) items.delete(item.name);
    else items.set(item.name, item);
  }
  return [...items.values()];
}

// Lets no answer through that tells a secret.
async function overheard(...request) {
  const answer = await fetch(...request);
  const told = JSON.stringify([...answer.headers]) + (await answer.clone().text());
  assert.ok(!told.includes(CANARY), `${request[0]} tells a secret: ${told}`);
  return answer;
}

// The official client of connections and registrations, by default the first user's.
export const connectionsOf = (given) => {
  const made = configuration(given);
  made.httpApi.fetch = overheard;
  return new v2.ActionConnectionApi(made);
};
export const connections = connectionsOf();

// A body of the client's own types, made from JSON; the client writes the same again.
export function typed(type, attributes) {
  const json = { data: { type: "action_connection", attributes } };
  const body = understood(v2.ObjectSerializer.deserialize(json, type));
  assert.deepEqual(asJson(body, type), json);
  return body;
}

export const asJson = (value, type) => JSON.parse(JSON.stringify(v2.ObjectSerializer.serialize(value, type)));
export const newConnection = (integration, attributes) =>
  typed("CreateActionConnectionRequest", { name: unique("connection"), integration, ...attributes });
export const changes = (attributes) => typed("UpdateActionConnectionRequest", attributes);

// Makes a connection for the length of test `t` and returns its data.
export async function makeConnection(t, integration, attributes) {
  const { data } = understood(await connections.createActionConnection({ body: newConnection(integration, attributes) }));
  cleanUp(t, `${PATH}/${data.id}`);
  return data;
}

export const read = async (connectionId) => understood(await connections.getActionConnection({ connectionId })).data;
export const update = async (connectionId, attributes) =>
  understood(await connections.updateActionConnection({ connectionId, body: changes(attributes) })).data;

// What the client read as the `integration` value, written as JSON again, without what the server adds to those of AWS.
export function shown({ attributes }) {
  const integration = asJson(attributes.integration, "ActionConnectionIntegration");
  delete integration.credentials.external_id;
  delete integration.credentials.principal_id;
  return integration;
}

// Asserts that the client's call fails with one error, whose detail is this text, or holds this pattern.
export async function refused(promise, status, told) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.code, status);
    const body = typeof error.body === "string" ? JSON.parse(error.body.match(/\{.*\}/s)[0]) : error.body;
    assert.equal(body.errors.length, 1);
    if (told instanceof RegExp) assert.match(body.errors[0].detail, told);
    else assert.equal(body.errors[0].detail, told);
    return true;
  });
}
